import { expect, test } from "vitest";

import type { QueueCall, QueueTotal } from "../api/types";
import { callsCsv, hourBars, outcomeOf, secondsOf, severalDays, spanOf } from "./queueHistory";

const call = {
  came_at: "2026-03-28T12:00:00Z",
  answered_at: "2026-03-28T12:00:30Z",
  ended_at: "2026-03-28T12:02:00Z",
  queue_name: "Support",
  caller: "+4930123456",
  caller_name: '=HYPERLINK("x"), Inc.',
  outcome: "answered",
  agent_id: "a",
  sent_to: "",
} as QueueCall;

test("a span goes from midnight to midnight of the zone, also where clocks change", () => {
  const now = Date.parse("2026-03-29T10:00:00Z");
  expect(spanOf("today", now, "Europe/Berlin")).toEqual({ after: "2026-03-28T23:00:00.000Z", before: "2026-03-29T22:00:00.000Z" });
  expect(spanOf("yesterday", now, "Europe/Berlin")).toEqual({ after: "2026-03-27T23:00:00.000Z", before: "2026-03-28T23:00:00.000Z" });
  expect(spanOf("week", now, "UTC").after).toBe("2026-03-23T00:00:00.000Z");
  expect([spanOf("today", now, "UTC"), spanOf("week", now, "UTC")].map(severalDays)).toEqual([false, true]);
});

test("hours are those of the zone, and the same hours of several days are one", () => {
  const total = (key: string, answered: number) => ({ key, answered, abandoned: 1, overflowed: 0 }) as QueueTotal;
  const bars = hourBars([total("2026-01-01T12:00:00Z", 3), total("2026-01-02T12:00:00Z", 4)], "Europe/Berlin");
  expect(bars).toHaveLength(24);
  expect(bars[13]).toEqual({ hour: "13", answered: 7, abandoned: 2, overflowed: 0 });
});

test("waits end with the answer, or with the caller", () => {
  expect(secondsOf(call)).toEqual({ waited: 30, talked: 90 });
  expect(secondsOf({ ...call, answered_at: null })).toEqual({ waited: 120, talked: null });
  expect(outcomeOf({ outcome: "something new" as QueueCall["outcome"] }).label).toBe("something new");
});

test("a list for spreadsheets quotes what has to be, and holds no formulas", () => {
  const [head, row] = callsCsv([call], new Map([["a", "Reception"]]), "UTC").split("\r\n");
  expect(head?.split(",")).toHaveLength(10);
  expect(row).toContain(`"'=HYPERLINK(""x""), Inc."`);
  expect(row).toContain(",+4930123456,");
  expect(row).toContain(",Answered,0:30,1:30,Reception,,");
  const nameOf = (caller_name: string) => callsCsv([{ ...call, caller_name }], new Map(), "UTC").split("\r\n")[1]?.split(",")[4];
  expect([nameOf("Ann;=1+1"), nameOf("Ann\t=1+1"), nameOf(" =1+1"), nameOf(";+1+1")]).toEqual(["Ann =1+1", "Ann =1+1", "' =1+1", "' +1+1"]);
});
