/** A call's ladder in words and places: everything about it that needs no browser. */
import type { Ladder, LadderArrow } from "../api/types";

export const GUTTER = 84;
export const ROW = 34;
export const HEAD = 52;
const NARROWEST = 150;
const WIDEST = 240;

/** How wide a participant's column is, so that the whole fits where it can. */
export function columnWidth(participants: number, room: number): number {
  return Math.max(NARROWEST, Math.min(WIDEST, (room - GUTTER) / Math.max(1, participants)));
}

/** What stands on an arrow: the method, or the status with its reason; SDP is worth a word. */
export function labelOf(arrow: LadderArrow): string {
  const body = arrow.text.slice(arrow.text.indexOf("\r\n\r\n") + 4);
  const sdp = /^v=0\r?\n/m.test(body) ? " (SDP)" : "";
  return (arrow.status === 0 ? arrow.method : arrow.line.replace(/^SIP\/2\.0 /, "")) + sdp;
}

export type ArrowTone = "request" | "provisional" | "good" | "waiting" | "bad";

export function toneOf(arrow: Pick<LadderArrow, "status">): ArrowTone {
  if (arrow.status === 0) return "request";
  if (arrow.status < 200) return "provisional";
  if (arrow.status < 300) return "good";
  return arrow.status < 400 || arrow.status === 401 || arrow.status === 407 ? "waiting" : "bad";
}

/** Seconds since the first message. */
export function sinceFirst(ladder: Pick<Ladder, "arrows">, arrow: Pick<LadderArrow, "at">): string {
  const first = ladder.arrows[0];
  const seconds = first ? (Date.parse(arrow.at) - Date.parse(first.at)) / 1000 : 0;
  return `+${seconds.toFixed(3)}`;
}

/** The participants in their order on the page: the caller's side, the edge, everybody else. */
export function placesOf(ladder: Pick<Ladder, "participants" | "arrows">): number[] {
  const first = ladder.arrows[0];
  const caller = first === undefined ? undefined : first.source === 0 ? undefined : first.source;
  const order = ladder.participants.map((_, index) => index).filter((index) => index !== caller);
  if (caller !== undefined) order.unshift(caller);
  const places: number[] = [];
  order.forEach((index, place) => {
    places[index] = place;
  });
  return places;
}
