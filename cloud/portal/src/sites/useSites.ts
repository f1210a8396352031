/** Sites and the one site, live. */
import { api } from "../api/client";
import { useLive, useLiveAll } from "../api/live";

export function useSites() {
  return useLiveAll(["sites"], (init, cursor) =>
    api.GET("/sites", { ...init, params: { query: { limit: 200, cursor } } }),
  );
}

export function useSite(siteId: string) {
  return useLive(["sites", siteId], (init) =>
    api.GET("/sites/{site_id}", { ...init, params: { path: { site_id: siteId } } }),
  );
}
