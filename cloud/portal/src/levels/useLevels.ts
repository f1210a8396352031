/** What is set above a site's devices: by its tenant, the site itself, and the tenant's device groups. */
import { api } from "../api/client";
import { useLive, useLiveAll } from "../api/live";

export function useTenantSettings(tenantId: string) {
  return useLive(
    ["device-settings", "tenant", tenantId],
    (init) => api.GET("/tenants/{tenant_id}/device-settings", { ...init, params: { path: { tenant_id: tenantId } } }),
    { poll: false },
  );
}

export function useSiteSettings(siteId: string) {
  return useLive(
    ["device-settings", "site", siteId],
    (init) => api.GET("/sites/{site_id}/device-settings", { ...init, params: { path: { site_id: siteId } } }),
    { poll: false },
  );
}

/** A tenant's groups, the heaviest first: that is the order in which they count. */
export function useDeviceGroups(tenantId: string) {
  const query = useLiveAll(
    ["device-groups", tenantId],
    (init, cursor) => api.GET("/device-groups", { ...init, params: { query: { tenant_id: tenantId, limit: 200, cursor } } }),
    { poll: false },
  );
  const data = query.data?.toSorted((one, other) => other.weight - one.weight || other.id.localeCompare(one.id));
  return { ...query, data };
}

/** What can be set for a scope, by groups, in the browser's language where it is translated. */
export function useScopeSettings(scope: string, tenantId: string) {
  const query = { scope, tenant_id: tenantId, language: navigator.language.slice(0, 2) };
  return useLive(
    ["device-settings", "scope", tenantId, scope],
    (init) => api.GET("/device-settings", { ...init, params: { query } }),
    { poll: false },
  );
}
