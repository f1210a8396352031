import { expect, it } from "vitest";

import type { SimulatedStep } from "../api/types";
import { stepText } from "./simulation";

const nothing: SimulatedStep = {
  reasons: [],
  users: [],
  numbers: [],
  seconds: null,
  answered_at_once: false,
  picked_up: [],
  service: null,
  arguments: {},
  changes: {},
  status: null,
};
const front = { user_id: "u", username: "200", display_name: "Front desk" };

it("says who rings, for how long, and by which way out", () => {
  expect(stepText({ ...nothing, users: [front], seconds: 20 }, (id) => id)).toBe("Front desk rings for 20 seconds");
  const number = { gateway: "pri", number: "0301", caller_id: "+49", anonymous: false, emergency: false };
  expect(stepText({ ...nothing, users: [front], numbers: [number] }, () => "PRI")).toBe("Front desk, 0301 by PRI as +49 ring");
});

it("says which service answers and how a call ends", () => {
  expect(stepText({ ...nothing, service: "voicemail", arguments: { mailbox: "200" } }, (id) => id)).toBe("The mailbox of 200 answers");
  expect(stepText({ ...nothing, service: "echo_test" }, (id) => id)).toBe("The service echo test answers");
  expect(stepText({ ...nothing, status: 403 }, (id) => id)).toBe("The call is not allowed (403)");
  expect(stepText({ ...nothing, status: 499 }, (id) => id)).toBe("The call ends with 499 (499)");
});
