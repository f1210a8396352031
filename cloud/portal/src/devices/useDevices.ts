/** A site's devices, and the models that there are. */
import { api } from "../api/client";
import { useLive, useLiveAll } from "../api/live";

export function useDevices(siteId: string) {
  return useLiveAll(["devices", siteId], (init, cursor) =>
    api.GET("/devices", { ...init, params: { query: { site_id: siteId, limit: 200, cursor } } }),
  );
}

export function useDeviceModels() {
  return useLive(["device-models"], (init) => api.GET("/device-models", { ...init }), { poll: false });
}

/** A model with its settings, by its key `<vendor>/<model>`. */
export function useDeviceModel(key: string | null) {
  const [vendor = "", model = ""] = key?.split("/") ?? [];
  return useLive(
    ["device-models", vendor, model],
    (init) => api.GET("/device-models/{vendor}/{model}", { ...init, params: { path: { vendor, model } } }),
    { poll: false, enabled: key !== null },
  );
}
