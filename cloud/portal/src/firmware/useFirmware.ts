/** Firmware, its rollouts and how far their phones are. */
import { api } from "../api/client";
import { useLive, useLiveAll } from "../api/live";
import type { Firmware, FirmwareRollout } from "../api/types";

export function useFirmware() {
  return useLiveAll<Firmware>(["firmware"], (init, cursor) =>
    api.GET("/firmware", { ...init, params: { query: { limit: 200, cursor } } }),
  );
}

export function useRollouts() {
  return useLiveAll<FirmwareRollout>(["firmware-rollouts"], (init, cursor) =>
    api.GET("/firmware-rollouts", { ...init, params: { query: { limit: 200, cursor } } }),
  );
}

export function useProgress(rolloutId: string, enabled: boolean) {
  return useLive(
    ["firmware-progress", rolloutId],
    (init) =>
      api.GET("/firmware-rollouts/{rollout_id}/progress", { ...init, params: { path: { rollout_id: rolloutId } } }),
    { enabled },
  );
}
