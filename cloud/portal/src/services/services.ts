/** Call park, group and fax mailboxes, paging groups, announcements and authorization codes, as the dial plan has them. */
import type { AnnouncementPlan, AuthorizationPlan, FaxMailbox, GroupMailbox, Paging, Park, Plan, VoiceService } from "../api/types";
import { freshId } from "../dialplan/plan";
import { listed, type PlanPart } from "../dialplan/planPart";
import { wrongWithMulticast } from "./multicast";

export type Service = Park | GroupMailbox | FaxMailbox | Paging | AnnouncementPlan | AuthorizationPlan;
export type Kind = Service["kind"];

export interface KindText {
  kind: Kind;
  title: string;
  /** Of one, in the middle of a sentence. */
  one: string;
  none: string;
}

export const KINDS: readonly KindText[] = [
  { kind: "park", title: "Call park", one: "park", none: "None yet. Callers wait in its orbits until a colleague dials the orbit." },
  {
    kind: "mailbox",
    title: "Group mailboxes",
    one: "group mailbox",
    none: "None yet. Whoever calls its number leaves a message that all of its owners see and hear.",
  },
  {
    kind: "fax",
    title: "Fax mailboxes",
    one: "fax mailbox",
    none: "None yet. Faxes to its number are mailed to its owners; the site's voice services have to run on FreeSWITCH with mod_spandsp.",
  },
  { kind: "paging", title: "Paging groups", one: "paging group", none: "None yet. Whoever dials a group speaks to the phones of its members." },
  { kind: "announcement", title: "Announcements", one: "announcement", none: "None yet. Its number says something to whoever calls." },
  {
    kind: "authorization",
    title: "Authorization codes",
    one: "code service",
    none: "None yet. Whoever knows a code calls with the permissions of its service, from any phone.",
  },
];

export function servicePart(id: string): PlanPart<Service> {
  return listed("voice_services", (one: VoiceService) => one.service_id, id) as unknown as PlanPart<Service>;
}

export function ofKind(plan: Plan, kind: Kind): Service[] {
  return (plan.voice_services ?? []).filter((one): one is Service => one.kind === kind);
}

/** A new one of a kind, with an id that the plan does not have. */
export function fresh(plan: Plan, kind: Kind): Service {
  const service_id = freshId(kind, (plan.voice_services ?? []).map((one) => one.service_id));
  const common = { service_id, name: "", extension: "", aliases: [], enabled: true, permission: null };
  switch (kind) {
    case "park":
      return {
        ...common, kind, orbits: [], timeout_seconds: 120, ring_seconds: 30, longest_seconds: 3600, leave_key: "", leave_to: null, orbit_music: [],
      };
    case "mailbox":
      return { ...common, kind, owners: [] };
    case "fax":
      return { ...common, kind, owners: [], station: "", t38: false };
    case "paging":
      return { ...common, kind, members: [], beep: true, urgent: false, longest_seconds: 120, multicast: null };
    case "announcement":
      return { ...common, kind, says: { kind: "spoken", text: "" }, language: "en", times: 1, then: null };
    case "authorization":
      return { ...common, kind, permissions: [], codes: [] };
  }
}

/** `701-705` and `701` as the orbits that they stand for; what is neither stays as it is, for the API to refuse. */
export function orbitsOf(typed: readonly string[]): string[] {
  const found = typed.flatMap((one) => {
    const range = /^([0-9]{1,15})\s*-\s*([0-9]{1,15})$/.exec(one.trim());
    if (!range) return [one.trim()];
    const [first, last, digits] = [Number(range[1]), Number(range[2]), (range[1] ?? "").length];
    if (last < first || last - first > 99) return [one.trim()];
    return Array.from({ length: last - first + 1 }, (_, index) => String(first + index).padStart(digits, "0"));
  });
  return [...new Set(found.filter(Boolean))];
}

/** What is wrong with what was typed, by field. */
export function wrongWith(service: Service): ReadonlyMap<string, string> {
  const wrong = new Map<string, string>();
  if (!service.name.trim()) wrong.set("name", "It needs a name");
  if (!/^[0-9]{1,15}$/.test(service.extension)) wrong.set("extension", "1 to 15 digits");
  if (service.kind === "park" && service.orbits.length === 0) wrong.set("orbits", "At least one orbit, such as 701 or 701-705");
  if ((service.kind === "mailbox" || service.kind === "fax") && !service.owners?.length) wrong.set("owners", "At least one owner");
  if (service.kind === "paging" && !service.members?.length) wrong.set("members", "At least one member");
  if (service.kind === "paging" && service.multicast) wrongWithMulticast(service.multicast).forEach((text, field) => wrong.set(field, text));
  if (service.kind === "announcement" && service.says.kind === "spoken" && !service.says.text.trim()) wrong.set("says", "What is to be said?");
  return wrong;
}

/** One line about it, for the table. */
export function summary(service: Service, nameOf: (id: string) => string): string {
  switch (service.kind) {
    case "park":
      return `orbits ${service.orbits.join(", ")}`;
    case "mailbox":
    case "fax":
      return `of ${(service.owners ?? []).map(nameOf).join(", ") || "nobody"}`;
    case "paging":
      return `${(service.members ?? []).map(nameOf).join(", ") || "nobody"}${service.multicast ? `, ${service.multicast.address}:${service.multicast.port}` : ""}`;
    case "announcement":
      return service.says.kind === "spoken" ? `“${service.says.text}”` : service.says.kind === "standard" ? `standard: ${service.says.phrase}` : "a file";
    case "authorization":
      return (service.codes ?? []).map((one) => one.name).join(", ") || "no codes";
  }
}

/** The codes with these names: those that are there keep their ids, and so their digits. */
export function codesNamed(service: AuthorizationPlan, names: readonly string[]): NonNullable<AuthorizationPlan["codes"]> {
  const before = service.codes ?? [];
  const taken = before.map((one) => one.code_id);
  return names.map((name) => {
    const known = before.find((one) => one.name === name);
    if (known) return known;
    const code_id = freshId("code", taken);
    taken.push(code_id);
    return { code_id, name, enabled: true };
  });
}
