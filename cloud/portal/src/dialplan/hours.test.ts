import { describe, expect, it } from "vitest";

import type { Rule } from "../api/types";
import { clockText, daysText, duringText, hoursText, minuteOf, rulesDuring, spansOf, wrongWith } from "./hours";

describe("hours of a schedule", () => {
  it("are read from a clock and shown on one", () => {
    expect(minuteOf("08:30", false)).toBe(510);
    expect(minuteOf("00:00", false)).toBe(0);
    expect(minuteOf("00:00", true)).toBe(1440);
    expect(minuteOf("24:00", true)).toBe(1440);
    expect([minuteOf("", false), minuteOf("25:00", true), minuteOf("8:75", false)]).toEqual([undefined, undefined, undefined]);
    expect([clockText(0), clockText(510), clockText(1440)]).toEqual(["00:00", "08:30", "24:00"]);
  });

  it("put days together that follow each other", () => {
    expect(daysText([5, 1, 2, 3, 4])).toBe("Mon to Fri");
    expect(daysText([1, 2, 4])).toBe("Mon, Tue, Thu");
    expect(hoursText({ days: [6], start: 540, end: 720 })).toBe("Sat 09:00 to 12:00");
  });

  it("touch without a gap", () => {
    const hours = [
      { days: [1], start: 720, end: 900 },
      { days: [1, 2], start: 480, end: 720 },
      { days: [1], start: 1000, end: 1100 },
    ];
    expect(spansOf(hours, 1)).toEqual([
      [480, 900],
      [1000, 1100],
    ]);
    expect(spansOf(hours, 3)).toEqual([]);
  });

  it("are refused with what would be right", () => {
    const schedule = { schedule_id: "s", name: "Office", hours: [{ days: [1], start: 480, end: 1020 }], holidays: [] };
    expect(wrongWith(schedule)).toBeNull();
    expect(wrongWith({ ...schedule, name: "" })).toContain("name");
    expect(wrongWith({ ...schedule, hours: [{ days: [], start: 0, end: 10 }] })).toContain("days");
    expect(wrongWith({ ...schedule, hours: [{ days: [1], start: 1320, end: 360 }] })).toContain("pass midnight");
    expect(wrongWith({ ...schedule, holidays: [{ day: "", name: "", every_year: false }] })).toContain("day");
  });

  it("say when a rule counts, and which rules go by them", () => {
    const during = { schedule_id: "s", periods: ["after_hours" as const, "holiday" as const] };
    expect(duringText(during, [{ schedule_id: "s", name: "Office", hours: [], holidays: [] }])).toBe("after hours and holidays of Office");
    const rule = { kind: "outside", rule_id: "r", name: "Night", patterns: [], during } as unknown as Rule;
    expect(rulesDuring([rule], "s")).toEqual(["Night"]);
    expect(rulesDuring([rule], "t")).toEqual([]);
  });
});
