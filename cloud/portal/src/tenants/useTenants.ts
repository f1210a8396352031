/** Tenants, and the providers that they belong to. */
import { api } from "../api/client";
import { useLiveAll } from "../api/live";
import { useMay } from "../session/roles";

export function useTenants() {
  return useLiveAll(
    ["tenants"],
    (init, cursor) => api.GET("/tenants", { ...init, params: { query: { limit: 200, cursor } } }),
    { poll: false },
  );
}

/** Providers; only a platform administrator has a choice of them. */
export function useMsps() {
  const enabled = useMay("platform_admin");
  return useLiveAll(
    ["msps"],
    (init, cursor) => api.GET("/msps", { ...init, params: { query: { limit: 200, cursor } } }),
    { poll: false, enabled },
  );
}
