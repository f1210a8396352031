import { describe, expect, it } from "vitest";

import { certaintyText, reasonText } from "../phones/refusalText";
import { progressOf } from "./resyncStates";

describe("an order to fetch again", () => {
  it("is over for phones that fetched, registered or failed", () => {
    expect(progressOf({ total: 4, counts: { waiting: 1, asked: 1, fetched: 1, failed: 1 } })).toBe(50);
    expect(progressOf({ total: 0, counts: {} })).toBe(100);
  });
});

describe("what a phone is told nothing of", () => {
  it("is said in words, also a reason that is new here", () => {
    expect(reasonText("clear_text")).toContain("passwords");
    expect(reasonText("some_new_reason")).toBe("some new reason");
  });
  it("is certain by the best that is known of its model", () => {
    expect(certaintyText({ vendor: "likely", model: "claimed" })).toBe("as it says itself");
    expect(certaintyText({ vendor: "hint" })).toBe("guessed by a file's name");
    expect(certaintyText({})).toBe("");
  });
});
