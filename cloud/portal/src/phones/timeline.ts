/** What happened to one phone, in its order: asked to fetch, fetched, sent something, refused, registered. */
import type { Device, PhoneRefusal, PhoneUpload, Registration } from "../api/types";
import type { Tone } from "../shell/State";
import { reasonText } from "./refusalText";

export interface Happening {
  key: string;
  at: string;
  tone: Tone;
  label: string;
  detail: string;
}

const ASKED: Record<string, { tone: Tone; label: string }> = {
  deferred: { tone: "waiting", label: "Asked after its call" },
  asked: { tone: "waiting", label: "Asked to fetch its files" },
  fetched: { tone: "good", label: "Fetched after it was asked" },
  registered: { tone: "good", label: "Registered after it fetched" },
  failed: { tone: "bad", label: "Did not fetch when asked" },
};

const PROOFS: Record<string, string> = { certificate: "proven by its certificate", password: "proven by its password" };

/** The latest first; of each kind the last time is known, refusals by their reason. */
export function timelineOf(
  device: Device,
  refusals: readonly PhoneRefusal[],
  uploads: readonly PhoneUpload[],
  registrations: readonly Registration[],
): Happening[] {
  const found: Happening[] = [
    { key: "created", at: device.created_at, tone: "idle", label: "Created in the portal", detail: "" },
  ];
  const visit = device.visit;
  const asked = visit ? ASKED[visit.resync_state] : undefined;
  if (visit?.resync_at && asked) {
    found.push({ key: "asked", at: visit.resync_at, ...asked, detail: visit.resync_text });
  }
  if (visit?.fetched_at) {
    const how = [`by ${visit.protocol.toUpperCase()} from ${visit.address}`, PROOFS[visit.proof] ?? "without proof"];
    if (visit.firmware) how.push(`firmware ${visit.firmware}`);
    if (visit.fetched_version !== null) how.push(`made from version ${visit.fetched_version}`);
    found.push({ key: "fetched", at: visit.fetched_at, tone: "good", label: "Fetched its files", detail: how.join(", ") });
  }
  for (const one of registrations) {
    if (one.device_id !== device.id) continue;
    const detail = `${one.source} by ${one.transport.toUpperCase()}`;
    found.push({ key: one.id, at: one.registered_at, tone: "good", label: "Registered", detail });
  }
  for (const one of refusals) {
    if (one.device_id !== device.id && one.mac !== device.mac) continue;
    const times = one.times_seen > 1 ? `, ${one.times_seen} times` : "";
    const detail = `${reasonText(one.reason)} (${one.address}, ${one.protocol.toUpperCase()}${times})`;
    found.push({ key: one.id, at: one.last_seen_at, tone: "bad", label: "Refused", detail });
  }
  for (const one of uploads) {
    found.push({ key: one.id, at: one.sent_at, tone: "idle", label: "Sent a file", detail: one.name });
  }
  return found.sort((one, other) => Date.parse(other.at) - Date.parse(one.at));
}
