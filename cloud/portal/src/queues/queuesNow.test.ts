import { expect, test } from "vitest";

import type { LiveQueue, LiveQueueAgent, QueueTotal } from "../api/types";
import { ageText, agentState, dayOf, levelText, secondsSince, seesHistory, sumOfDays, type Person } from "./queuesNow";

const agent = (changes: Partial<LiveQueueAgent>) =>
  ({ user_id: "a", presence: "in", presence_since: "2026-01-01T08:00:00Z", doing: "idle", since: null, queue_id: null, ...changes }) as LiveQueueAgent;
const person = (registered: boolean): Person => ({ user_id: "a", name: "Reception", extension: "200", registered });
const stateOf = (changes: Partial<LiveQueueAgent>, registered = true, reason = "") => agentState(agent(changes), person(registered), reason, "Support");

test("what an agent does counts before how the agent stands, and that before the phone", () => {
  expect(stateOf({})).toEqual({ tone: "good", label: "Idle", detail: "", since: "2026-01-01T08:00:00Z", free: true });
  expect(stateOf({ doing: "talking", presence: "paused" })).toMatchObject({ label: "Talking", detail: "call of Support, pauses afterwards", free: false });
  expect(stateOf({ doing: "ringing" }).label).toBe("Ringing");
  expect(stateOf({ doing: "wrapping_up" }).label).toBe("Wrap-up");
  expect(stateOf({ presence: "paused" }, false, "Lunch")).toMatchObject({ label: "Paused", detail: "Lunch", free: false });
  expect(stateOf({ presence: "out" }, false).label).toBe("Away");
  expect(stateOf({}, false)).toMatchObject({ label: "Unregistered", free: false });
  expect(stateOf({ doing: "resting" })).toMatchObject({ label: "Did not answer", free: false });
});

test("a wait goes on by the machine’s clock, whatever the edge’s shows, and is never less than nothing", () => {
  expect(secondsSince("2026-01-01T12:00:00Z", "2026-01-01T12:00:30Z", 4)).toBe(34);
  expect(secondsSince("2026-01-01T12:00:10Z", "2026-01-01T12:00:00Z", 1)).toBe(0);
});

test("a day is the history’s where that is known, and days add up by their callers", () => {
  const queue = { queue_id: "q", answered: 3, abandoned: 1, in_time: 2, overflowed: 0 } as LiveQueue;
  const total = { key: "q", answered: 30, abandoned: 10, overflowed: 4, service_level: 0.75 } as QueueTotal;
  const fromEdge = dayOf(queue, undefined);
  expect(fromEdge).toEqual({ answered: 3, abandoned: 1, overflowed: 0, level: 0.5 });
  const fromHistory = dayOf(queue, [total]);
  expect(fromHistory).toEqual({ answered: 30, abandoned: 10, overflowed: 4, level: 0.75 });
  expect(dayOf(queue, []).level).toBeNull();
  expect(sumOfDays([fromEdge, fromHistory]).level).toBeCloseTo((2 + 30) / 44);
  expect(sumOfDays([]).level).toBeNull();
  expect([levelText(null), levelText(0.756)]).toEqual(["—", "76 %"]);
});

test("the history counts for administrators, and for supervisors of the queue", () => {
  const user = { userId: "u", admin: false };
  expect([seesHistory({ userId: null, admin: true }, []), seesHistory(user, ["u"]), seesHistory(user, ["v"])]).toEqual([true, true, false]);
});

test("ages are told in words", () => {
  expect([1, 59, 60, 7199, 7200].map(ageText)).toEqual(["1 second", "59 seconds", "1 minute", "119 minutes", "2 hours"]);
});
