/** Conference rooms of a dial plan, and words about them. */
import type { ConferenceRoomPlan, LiveParty, Plan, UserRoomsPlan } from "../api/types";
import { listed, type PlanPart } from "../dialplan/planPart";
import { freshId } from "../dialplan/plan";

export type Room = ConferenceRoomPlan | UserRoomsPlan;

export function roomsOf(plan: Plan): Room[] {
  return (plan.voice_services ?? []).filter((one): one is Room => one.kind === "conference" || one.kind === "user_conferences");
}

export function roomPart(id: string): PlanPart<Room> {
  return listed("voice_services", (one: Room) => one.service_id, id) as PlanPart<Room>;
}

/** A room that is not saved yet. */
export function freshRoom(plan: Plan, kind: Room["kind"]): Room {
  const taken = (plan.voice_services ?? []).map((one) => one.service_id);
  const common = {
    service_id: freshId("conference", taken),
    name: kind === "conference" ? "" : "Own room",
    extension: "",
    aliases: [],
    enabled: true,
    permission: null,
    asks_pin: true,
    most_members: 30,
    music_alone: true,
    waits_for_moderator: false,
    ends_with_moderator: false,
    announced: "tones" as const,
    locked: false,
    muted_on_entry: false,
    recorded: false,
    language: "en",
  };
  return kind === "conference" ? { ...common, kind, owner: null } : { ...common, kind };
}

/** What is wrong with what was typed, by field, as far as it is seen from here. */
export function wrongWith(room: Room): Map<string, string> {
  const wrong = new Map<string, string>();
  if (!room.name.trim()) wrong.set("name", "The room needs a name");
  if (!/^[0-9]{1,15}$/.test(room.extension)) wrong.set("extension", "1 to 15 digits");
  return wrong;
}

export const ANNOUNCED: readonly { value: Room["announced"] & string; label: string }[] = [
  { value: "tones", label: "A tone when somebody comes or goes" },
  { value: "names", label: "The name that each says on the way in" },
  { value: "nothing", label: "Nothing" },
];

/** Such as “asks for a PIN, waits for its moderator, is recorded”. */
export function rulesText(room: Room): string {
  const rules: [boolean | undefined, string][] = [
    [room.asks_pin, "asks for a PIN"],
    [room.waits_for_moderator, "waits for its moderator"],
    [room.ends_with_moderator, "ends with its moderator"],
    [room.locked, "begins locked"],
    [room.muted_on_entry, "mutes who comes"],
    [room.announced === "names", "says names"],
    [room.recorded, "is recorded"],
  ];
  return rules.filter(([is]) => is).map(([, text]) => text).join(", ") || "open to whoever may call it";
}

/** Which PINs a room has. */
export function pinsText(pins: { pin_set: boolean; moderator_pin_set: boolean } | undefined): string {
  if (!pins) return "";
  if (pins.pin_set && pins.moderator_pin_set) return "for all, for moderators";
  if (pins.pin_set) return "for all";
  return pins.moderator_pin_set ? "for moderators" : "none";
}

/** What a caller does at this moment. */
export function partyState(party: LiveParty): { tone: "good" | "bad" | "waiting" | "idle"; label: string } {
  if (party.waiting) return { tone: "waiting", label: "Waits for the moderator" };
  if (party.muted) return { tone: "bad", label: "Muted" };
  return party.speaking ? { tone: "good", label: "Speaks" } : { tone: "idle", label: "Listens" };
}

/** Such as “1:01:05” or “2:07”. */
export function lengthOf(seconds: number): string {
  const whole = Math.round(seconds);
  const [hours, minutes, rest] = [Math.floor(whole / 3600), Math.floor((whole % 3600) / 60), whole % 60];
  const two = (value: number) => String(value).padStart(2, "0");
  return hours ? `${hours}:${two(minutes)}:${two(rest)}` : `${minutes}:${two(rest)}`;
}
