/** What happened to one phone, in its order: created, adopted, asked to fetch, fetched, registered, refused. */
import type { Device, Happening } from "../api/types";
import type { Tone } from "../shell/State";
import { reasonText } from "./refusalText";

/** One line of it. */
export interface Happened {
  key: string;
  at: string;
  tone: Tone;
  label: string;
  detail: string;
}

const LABELS: Record<Happening["kind"], { tone: Tone; label: string }> = {
  adopted: { tone: "good", label: "Adopted" },
  came: { tone: "good", label: "Came as announced" },
  deferred: { tone: "waiting", label: "Asked after its call" },
  asked: { tone: "waiting", label: "Asked to fetch its files" },
  fetched: { tone: "good", label: "Fetched its files" },
  failed: { tone: "bad", label: "Did not fetch when asked" },
  applied: { tone: "good", label: "Registered after it fetched" },
  registered: { tone: "good", label: "Registered" },
  unregistered: { tone: "idle", label: "No longer registered" },
  refused: { tone: "bad", label: "Refused" },
  sent: { tone: "idle", label: "Sent a file" },
  firmware_told: { tone: "waiting", label: "Told of new firmware" },
  firmware_fetched: { tone: "waiting", label: "Fetched its firmware" },
  firmware_running: { tone: "good", label: "Runs its new firmware" },
  firmware_failed: { tone: "bad", label: "Did not take its new firmware" },
};

const PROOFS: Record<string, string> = {
  certificate: "proven by its certificate",
  password: "proven by its password",
  none: "without proof",
};
const GONE: Record<string, string> = { expired: "its time was over", removed: "it said good-bye" };

/** The latest first; `happenings` are as the API tells them. */
export function timelineOf(device: Device, happenings: readonly Happening[]): Happened[] {
  const found = happenings.map((one) => ({ key: one.id, at: one.at, ...LABELS[one.kind], detail: detailOf(one) }));
  return [...found, { key: "created", at: device.created_at, tone: "idle", label: "Created in the portal", detail: "" }];
}

function detailOf({ kind, detail, times }: Happening): string {
  const said = (name: string) => (detail[name] === undefined ? "" : String(detail[name]));
  const way = said("protocol") || said("transport");
  const how = [
    kind === "refused" ? reasonText(said("reason")) : (GONE[said("reason")] ?? said("reason")),
    said("model"),
    said("text"),
    said("name"),
    [way ? `by ${way.toUpperCase()}` : "", said("address") ? `from ${said("address")}` : ""].filter(Boolean).join(" "),
    PROOFS[said("proof")] ?? "",
    said("firmware") ? `firmware ${said("firmware")}` : "",
    said("wanted") ? `is to have ${said("wanted")}` : "",
    said("version") ? `made from version ${said("version")}` : "",
    said("switch_port") ? `port ${said("switch_port")}` : "",
    times > 1 ? `${times} times` : "",
  ];
  const text = how.filter(Boolean).join(", ");
  return text.charAt(0).toUpperCase() + text.slice(1);
}
