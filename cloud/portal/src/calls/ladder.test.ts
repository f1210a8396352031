import { describe, expect, test } from "vitest";

import type { Ladder, LadderArrow } from "../api/types";
import { columnWidth, labelOf, placesOf, sinceFirst, toneOf } from "./ladder";

function arrow(changes: Partial<LadderArrow>): LadderArrow {
  return {
    at: "2026-01-01T12:00:00Z",
    source: 1,
    target: 0,
    line: "INVITE sip:201@demo SIP/2.0",
    method: "INVITE",
    status: 0,
    again: false,
    text: "INVITE sip:201@demo SIP/2.0\r\n\r\n",
    ...changes,
  };
}

describe("a call's ladder", () => {
  test("an arrow is labelled with the method or the status, and says when it carries SDP", () => {
    expect(labelOf(arrow({ text: "INVITE x SIP/2.0\r\n\r\nv=0\r\no=-" }))).toBe("INVITE (SDP)");
    expect(labelOf(arrow({ status: 486, line: "SIP/2.0 486 Busy Here" }))).toBe("486 Busy Here");
  });

  test("a challenge is no failure, a refusal is", () => {
    expect([0, 180, 200, 407, 302, 486, 603].map((status) => toneOf({ status }))).toEqual([
      "request",
      "provisional",
      "good",
      "waiting",
      "waiting",
      "bad",
      "bad",
    ]);
  });

  test("time counts from the first message", () => {
    const later = arrow({ at: "2026-01-01T12:00:01.250Z" });
    expect(sinceFirst({ arrows: [arrow({}), later] }, later)).toBe("+1.250");
  });

  test("the caller stands left of the edge, everybody else right of it", () => {
    const participants = ["edge", "caller", "callee"].map((name) => ({ name })) as unknown as Ladder["participants"];
    expect(placesOf({ participants, arrows: [arrow({})] })).toEqual([1, 0, 2]);
    expect(placesOf({ participants, arrows: [arrow({ source: 0, target: 1 })] })).toEqual([0, 1, 2]);
  });

  test("columns are never too narrow to read", () => {
    expect(columnWidth(3, 320)).toBe(150);
    expect(columnWidth(3, 2000)).toBe(240);
  });
});
