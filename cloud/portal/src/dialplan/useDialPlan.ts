/** A site's dial plan, live, and who it may ring. */
import { api } from "../api/client";
import { useLive } from "../api/live";

export function useDialPlan(siteId: string) {
  return useLive(
    ["dial-plan", siteId],
    (init) => api.GET("/sites/{site_id}/dial-plan", { ...init, params: { path: { site_id: siteId } } }),
    { poll: false },
  );
}
