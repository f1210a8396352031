import { describe, expect, test } from "vitest";

import { figuresOf, qualityState, whoseOf } from "./qualityText";

const nothing = {
  mos: null,
  lost_percent: null,
  late_percent: null,
  jitter_ms: null,
  round_trip_ms: null,
  packets: null,
  codec: "",
};

describe("how a call was heard", () => {
  test("the opinion is a word, and a side of which nothing came is silent", () => {
    expect(qualityState({ word: "good", packets: 10 }).label).toBe("Good");
    expect(qualityState({ word: "poor", packets: 10 }).tone).toBe("bad");
    expect(qualityState({ word: null, packets: 0 }).label).toBe("Silent");
    expect(qualityState({ word: null, packets: null }).label).toBe("Not rated");
  });

  test("it says whose voice it is and who listened", () => {
    expect(whoseOf({ heard: "caller", source: "engine" })).toBe("The caller, as the voice services heard it");
    expect(whoseOf({ heard: null, source: "phone" })).toBe("The other side, as a phone heard it");
  });

  test("what was not measured is left out", () => {
    expect(figuresOf(nothing)).toBe("");
    expect(figuresOf({ ...nothing, mos: 4.25, lost_percent: 2, jitter_ms: 3.14, packets: 490, codec: "PCMA" })).toBe(
      "MOS 4.3 · 2 % lost · jitter 3.1 ms · 490 packets · PCMA",
    );
  });
});
