/** The sound files of a tenant. */
import { api, bodyOf } from "../api/client";
import { refresh, useLive } from "../api/live";
import type { Sound } from "../api/types";
import { asTelephoneWav } from "../attendants/sound";
import { bring } from "../firmware/bring";

export function useSounds(tenantId: string) {
  return useLive(["sounds", tenantId], (init) => api.GET("/sounds", { ...init, params: { query: { tenant_id: tenantId } } }));
}

/** Bring a file as telephones play it, and keep it by its name. */
export async function keepSound(file: File, tenantId: string): Promise<Sound> {
  const digest = await bring(await asTelephoneWav(file), tenantId, () => undefined, "/sound-files");
  const kept = await bodyOf(api.POST("/sounds", { body: { tenant_id: tenantId, digest, name: file.name } }));
  await refresh(["sounds", tenantId]);
  return kept;
}
