/** A site's voicemail in words. */
import type { VoicemailRules } from "../api/types";

export const LANGUAGES = [
  { value: "en", label: "English" },
  { value: "de", label: "Deutsch" },
  { value: "fr", label: "Français" },
  { value: "es", label: "Español" },
];

export const GREETINGS = [
  { value: "standard", label: "Standard" },
  { value: "out_of_office", label: "Out of office" },
  { value: "extended_absence", label: "Extended absence" },
  { value: "system", label: "The system’s" },
];

/** What is spoken for a language tag; one that is not shipped is English. */
export function languageName(tag: string): string {
  const main = tag.split("-")[0]?.toLowerCase();
  return LANGUAGES.find((one) => one.value === main)?.label ?? `English (${tag} is not there)`;
}

export function lengthText(rules: VoicemailRules): string {
  const silence = rules.silence_seconds ? `, and when nobody speaks for ${rules.silence_seconds} s` : "";
  return `A message ends after ${rules.longest_seconds} s${silence}; under ${rules.shortest_seconds} s it is none.`;
}

export function keptText(rules: VoicemailRules): string {
  const others = rules.kept_days ? `Messages are kept for ${rules.kept_days} days` : "Messages are kept until they are deleted";
  const deleted = rules.deleted_days ? `deleted ones can be taken back for ${rules.deleted_days} days` : "deleted ones go at once";
  return `${others}, ${deleted}; at most ${rules.messages} in one mailbox.`;
}
