import { expect, it } from "vitest";

import type { VoicemailRules } from "../api/types";
import { keptText, languageName, lengthText } from "./voicemailText";

const rules: VoicemailRules = {
  language: "en",
  longest_seconds: 300,
  shortest_seconds: 1,
  silence_seconds: 10,
  messages: 200,
  deleted_days: 7,
  kept_days: 0,
  recordings_leave: false,
  operator: "",
  lists: [],
};

it("says what is spoken", () => {
  expect(languageName("de-CH")).toBe("Deutsch");
  expect(languageName("nl")).toBe("English (nl is not there)");
});

it("says how long messages are and how long they are kept", () => {
  expect(lengthText(rules)).toBe("A message ends after 300 s, and when nobody speaks for 10 s; under 1 s it is none.");
  expect(lengthText({ ...rules, silence_seconds: 0 })).toContain("300 s; under");
  expect(keptText(rules)).toBe("Messages are kept until they are deleted, deleted ones can be taken back for 7 days; at most 200 in one mailbox.");
  expect(keptText({ ...rules, kept_days: 30, deleted_days: 0 })).toContain("kept for 30 days, deleted ones go at once");
});
