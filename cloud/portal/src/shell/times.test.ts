import { describe, expect, it } from "vitest";

import { agoText, durationText, instantAt, localAt, momentText, utcText } from "./times";

const at = "2026-07-01T22:30:05Z";
const after = (seconds: number) => Date.parse(at) + seconds * 1000;

describe("times", () => {
  it("are told relative to now, never in the future", () => {
    expect(agoText(at, after(-60))).toBe("just now");
    expect(agoText(at, after(59))).toBe("just now");
    expect(agoText(at, after(61))).toBe("1 minute ago");
    expect(agoText(at, after(7300))).toBe("2 hours ago");
    expect(agoText(at, after(3 * 86_400))).toBe("3 days ago");
  });

  it("are told in the site's time zone, and in UTC", () => {
    expect(momentText(at, "Europe/Berlin")).toBe("2 Jul 2026, 00:30:05");
    expect(utcText(at)).toBe("2026-07-01 22:30:05 UTC");
    expect(momentText(at, "No/Zone")).toBe(utcText(at));
  });

  it("last", () => {
    expect([0, 7.4, 123, 3723].map(durationText)).toEqual(["0:00", "0:07", "2:03", "1:02:03"]);
  });
});

describe("a time of day at a site", () => {
  it("is a moment by the site’s clocks, in summer and in winter", () => {
    expect(instantAt("2026-07-01T09:30", "Europe/Berlin")).toBe("2026-07-01T07:30:00.000Z");
    expect(instantAt("2026-12-01T09:30", "Europe/Berlin")).toBe("2026-12-01T08:30:00.000Z");
    expect(instantAt("2026-12-01T23:30", "America/New_York")).toBe("2026-12-02T04:30:00.000Z");
    expect(instantAt("2026-03-29T03:30", "Europe/Berlin")).toBe("2026-03-29T01:30:00.000Z");
    expect(instantAt("2026-07-01T09:30", "UTC")).toBe("2026-07-01T09:30:00.000Z");
  });

  it("are shown to inputs as the zone's clocks show them, and read back", () => {
    expect(localAt(Date.parse("2026-07-01T07:30:59Z"), "Europe/Berlin")).toBe("2026-07-01T09:30");
    expect(localAt(Date.parse("2026-12-02T04:30:00Z"), "America/New_York")).toBe("2026-12-01T23:30");
    expect(instantAt(localAt(Date.parse("2026-03-29T01:30:00Z"), "Europe/Berlin"), "Europe/Berlin")).toBe("2026-03-29T01:30:00.000Z");
  });
});
