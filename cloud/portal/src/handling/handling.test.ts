import { describe, expect, it } from "vitest";

import type { FindMe } from "../api/types";
import { endText, ringsOf } from "./handling";

const place = (destination: string, order: FindMe["order"], seconds: number, enabled = true): FindMe => ({ destination, order, seconds, enabled, confirm: false });
const values = { do_not_disturb: false, always: null, ring_seconds: 20, find_me: [] as FindMe[], no_answer: null };

describe("the rings of one call", () => {
  it("follow each other, and ring together for as long as what is before them", () => {
    const find_me = [
      place("0171", "at_the_same_time", 90),
      place("201", "if_no_response", 15),
      place("299", "if_no_response", 15, false),
      place("202", "at_the_same_time", 5),
      place("203", "if_no_response", 10),
    ];
    expect(ringsOf({ ...values, find_me })).toEqual([
      { label: "Own phones", from: 0, until: 20 },
      { label: "0171", from: 0, until: 20 },
      { label: "201", from: 20, until: 35 },
      { label: "202", from: 20, until: 35 },
      { label: "203", from: 35, until: 45 },
    ]);
  });

  it("are none while calls are forwarded always or refused", () => {
    expect(ringsOf({ ...values, always: "201" })).toEqual([]);
    expect(ringsOf({ ...values, do_not_disturb: true })).toEqual([]);
    expect(endText({ ...values, always: "201" })).toContain("201");
  });
});
