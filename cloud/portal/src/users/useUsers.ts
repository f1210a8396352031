/** A site's users and where they can be reached, live. */
import { api } from "../api/client";
import { useLiveAll } from "../api/live";

export function useUsers(siteId: string, options: { poll?: boolean } = {}) {
  return useLiveAll(
    ["users", siteId],
    (init, cursor) => api.GET("/users", { ...init, params: { query: { site_id: siteId, limit: 200, cursor } } }),
    options,
  );
}

export function useRegistrations(siteId: string) {
  return useLiveAll(["registrations", siteId], (init, cursor) =>
    api.GET("/registrations", { ...init, params: { query: { site_id: siteId, limit: 200, cursor } } }),
  );
}
