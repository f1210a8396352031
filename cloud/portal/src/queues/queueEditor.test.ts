import { expect, test } from "vitest";

import type { Plan } from "../api/types";
import { agentsPicked, freshCallBack, freshQueue, overflowText, queuePart, queuesOf, wrongWith } from "./queueEditor";

const park = { kind: "park", service_id: "queue-1", name: "Park", extension: "700", orbits: ["701"] };
const plan = { voice_services: [park] } as unknown as Plan;
const good = { ...freshQueue(plan), name: "Support", extension: "600" };

test("a new queue has an id of its own, lacks a name and a number, and stands beside other services", () => {
  expect(good.service_id).toBe("queue-2");
  expect([...wrongWith(freshQueue(plan)).keys()]).toEqual(["name", "extension"]);
  expect(wrongWith(good).size).toBe(0);
  const saved = queuePart("queue-2").put(plan, good);
  expect(queuesOf(saved)).toEqual([good]);
  expect(saved.voice_services).toHaveLength(2);
});

test("who stays an agent keeps the skill, and who is new has the middle one", () => {
  const before = [{ user_id: "a", skill: 9 }, { user_id: "b", skill: 2 }];
  expect(agentsPicked(before, ["b", "c"])).toEqual([{ user_id: "b", skill: 2 }, { user_id: "c", skill: 5 }]);
});

test("what makes no sense is said at its field", () => {
  const keys = (changes: object) => [...wrongWith({ ...good, ...changes }).keys()];
  expect(keys({ announce_seconds: 14 })).toEqual(["announce_seconds"]);
  expect(keys({ announce_seconds: 15 })).toEqual([]);
  expect(keys({ overflow_to: "600" })).toEqual(["overflow_to"]);
  expect(keys({ aliases: ["help"], nobody_to: "help" })).toEqual(["nobody_to"]);
  expect(keys({ leave_key: "0" })).toEqual(["overflow_to"]);
  expect(keys({ leave_key: "0", overflow_to: "300" })).toEqual([]);
  expect(keys({ leave_key: "12" })).toEqual(["leave_key"]);
  expect(keys({ call_back: freshCallBack() })).toEqual([]);
  expect(keys({ call_back: { ...freshCallBack(), key: "#" } })).toEqual(["call_back"]);
  expect(keys({ call_back: freshCallBack(), leave_key: "1", overflow_to: "300" })).toEqual(["call_back"]);
});

test("where callers go in the end is told in words", () => {
  expect(overflowText(good)).toBe("after 15 min the call ends");
  expect(overflowText({ ...good, longest_wait_seconds: 90, overflow_to: "300" })).toBe("after 90 s to 300");
});
