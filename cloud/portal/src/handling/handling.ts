/** Where a user's calls go: the fields of the form, and the rings of one call along the time. */
import type { CallHandling, FindMe, SpeedDial } from "../api/types";

export interface HandlingValues {
  do_not_disturb: boolean;
  call_waiting: boolean;
  reject_anonymous: boolean;
  intercom: boolean;
  always: string | null;
  busy: string | null;
  no_answer: string | null;
  unregistered: string | null;
  ring_seconds: number;
  find_me: FindMe[];
  blocked: string[];
  speed_dials: SpeedDial[];
}

export function valuesOf({ forwarding, ...rest }: CallHandling): HandlingValues {
  const { always = null, busy = null, no_answer = null, unregistered = null, ring_seconds, find_me } = forwarding;
  return { ...rest, always, busy, no_answer, unregistered, ring_seconds, find_me };
}

export const FORWARDS = [
  { name: "always", label: "Always", help: "Every call goes there at once; the phones stay quiet" },
  { name: "busy", label: "When busy", help: "In a call, or the call is turned away at the phone" },
  { name: "no_answer", label: "When nobody answers", help: "After the rings below" },
  { name: "unregistered", label: "When no phone is registered", help: "Without it, what is set for no answer counts" },
] as const;

/** One place that rings, from one second of the call until another. */
export interface Ring {
  label: string;
  from: number;
  until: number;
}

/**
 * What rings when, as the edge goes on: the user's own phones first; a place “at the same time” rings with what is
 * before it, for as long; one “if there is no response” after it. Nothing rings while all calls are forwarded or refused.
 */
export function ringsOf(values: Pick<HandlingValues, "do_not_disturb" | "always" | "ring_seconds" | "find_me">): Ring[] {
  if (values.always || values.do_not_disturb) return [];
  const rings: Ring[] = [{ label: "Own phones", from: 0, until: values.ring_seconds }];
  let round = { from: 0, until: values.ring_seconds };
  for (const place of values.find_me) {
    if (!place.enabled) continue;
    if (place.order === "if_no_response") round = { from: round.until, until: round.until + place.seconds };
    rings.push({ label: place.destination || "?", ...round });
  }
  return rings;
}

/** How it ends when nobody answers. */
export function endText(values: Pick<HandlingValues, "do_not_disturb" | "always" | "no_answer">): string {
  if (values.always) return `Every call goes to ${values.always} at once.`;
  if (values.do_not_disturb) return "Nothing rings: calls are turned away, or go where they go when busy.";
  return values.no_answer ? `Then the call goes to ${values.no_answer}.` : "Then the mailbox answers, if there is one.";
}
