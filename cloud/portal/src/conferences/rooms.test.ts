import { expect, test } from "vitest";

import type { LiveParty, Plan } from "../api/types";
import { freshRoom, lengthOf, partyState, pinsText, roomPart, roomsOf, rulesText, wrongWith } from "./rooms";

const PLAN = { voice_services: [{ kind: "music", service_id: "conference-1", name: "Music", extension: "400" }] } as unknown as Plan;

test("rooms are told from other voice services, and are put among them", () => {
  const room = { ...freshRoom(PLAN, "conference"), name: "Team", extension: "800" };
  expect(room.service_id).toBe("conference-2");
  const plan = roomPart(room.service_id).put(PLAN, room);
  expect(plan.voice_services).toHaveLength(2);
  expect(roomsOf(plan)).toEqual([room]);
  expect(roomPart(room.service_id).put(plan, undefined)).toEqual(PLAN);
});

test("a room needs a name and a number", () => {
  const room = freshRoom(PLAN, "conference");
  expect([...wrongWith(room).keys()]).toEqual(["name", "extension"]);
  expect(wrongWith({ ...room, name: "Team", extension: "800" }).size).toBe(0);
  expect([...wrongWith({ ...room, name: "Team", extension: "8oo" }).keys()]).toEqual(["extension"]);
});

test("what a room does is said in words", () => {
  const room = freshRoom(PLAN, "user_conferences");
  expect(rulesText(room)).toBe("asks for a PIN");
  expect(rulesText({ ...room, asks_pin: false })).toBe("open to whoever may call it");
  expect(rulesText({ ...room, announced: "names", recorded: true })).toBe("asks for a PIN, says names, is recorded");
  expect(pinsText({ pin_set: false, moderator_pin_set: true })).toBe("for moderators");
  expect(pinsText({ pin_set: false, moderator_pin_set: false })).toBe("none");
});

test("what a caller does is told, the strongest first", () => {
  const party = { waiting: false, muted: false, speaking: true } as LiveParty;
  expect(partyState(party).label).toBe("Speaks");
  expect(partyState({ ...party, speaking: null }).label).toBe("Listens");
  expect(partyState({ ...party, muted: true }).label).toBe("Muted");
  expect(partyState({ ...party, waiting: true }).label).toBe("Waits for the moderator");
});

test("lengths are hours, minutes and seconds", () => {
  expect([7, 127, 3665].map(lengthOf)).toEqual(["0:07", "2:07", "1:01:05"]);
});
