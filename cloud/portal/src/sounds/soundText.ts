/** What is said of sound files. */
import type { OwnMusic, Sound } from "../api/types";

export function sizeText(bytes: number): string {
  return bytes < 1024 * 1024 ? `${Math.max(1, Math.round(bytes / 1024))} KiB` : `${(bytes / 1024 / 1024).toFixed(1)} MiB`;
}

/** A name for people; of one that nobody named, the beginning of its digest. */
export function soundName(sound: { name: string; digest: string }): string {
  return sound.name || `unnamed, ${sound.digest.slice(0, 12)}`;
}

export function usesText(sound: Sound): string {
  return sound.used_by.map((use) => `${use.what} at ${use.site}`).join(", ") || "nobody";
}

/** What can be chosen: the files of the list, and the one that is chosen, which need not be in it. */
export function choices(sounds: readonly Sound[], chosen: OwnMusic | null): { value: string; label: string }[] {
  const found = sounds.map((sound) => ({ value: sound.digest, label: soundName(sound) }));
  if (chosen && !found.some((one) => one.value === chosen.digest)) {
    found.push({ value: chosen.digest, label: soundName({ name: chosen.name ?? "", digest: chosen.digest }) });
  }
  return found;
}
