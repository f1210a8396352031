/** A site's devices, and the models that there are. */
import { api } from "../api/client";
import { useLive, useLiveAll } from "../api/live";

export function useDevices(siteId: string) {
  return useLiveAll(["devices", siteId], (init, cursor) =>
    api.GET("/devices", { ...init, params: { query: { site_id: siteId, limit: 200, cursor } } }),
  );
}

/** Every model; with a tenant, also those of its own plug-ins. */
export function useDeviceModels(tenantId?: string) {
  const query = tenantId ? { tenant_id: tenantId } : {};
  return useLive(
    ["device-models", tenantId ?? ""],
    (init) => api.GET("/device-models", { ...init, params: { query } }),
    { poll: false },
  );
}

/** A model with its settings, by its key `<vendor>/<model>`, in the browser's language where it is translated. */
export function useDeviceModel(key: string | null, tenantId?: string) {
  const [vendor = "", model = ""] = key?.split("/") ?? [];
  const query = { ...(tenantId ? { tenant_id: tenantId } : {}), language: navigator.language.slice(0, 2) };
  return useLive(
    ["device-models", tenantId ?? "", vendor, model],
    (init) => api.GET("/device-models/{vendor}/{model}", { ...init, params: { path: { vendor, model }, query } }),
    { poll: false, enabled: key !== null },
  );
}

/** What a device's settings are, and where each comes from. */
export function useResolvedSettings(deviceId: string | null) {
  return useLive(
    ["device-settings", deviceId ?? ""],
    (init) =>
      api.GET("/devices/{device_id}/settings", {
        ...init,
        params: { path: { device_id: deviceId ?? "" }, query: { origin: "set" } },
      }),
    { poll: false, enabled: deviceId !== null },
  );
}
