import { describe, expect, it } from "vitest";

import type { Alarm, EmergencyLocation } from "../api/types";
import { addressText, phonesAt, selfCheck, wrongWith } from "./emergency";

const alarm = {
  alarm: "emergency_route_missing",
  text: "112 leads nowhere: no gateway is switched on for it; 110 leads to gateways that do not answer only: PRI",
  raised_at: "2026-01-01T00:00:00Z",
  cleared_at: null,
} as unknown as Alarm;
const hall = { location_id: "hall", name: "Hall", caller_id: "+49301", address: "", civic: {} } as unknown as EmergencyLocation;

describe("the check of every day", () => {
  it("is bad while its alarm is open, number by number, good with an edge, and unknown without one", () => {
    expect(selfCheck([alarm], true)).toMatchObject({ state: "bad", lines: [expect.stringContaining("112"), expect.stringContaining("110")] });
    expect(selfCheck([alarm], false).state).toBe("bad");
    expect(selfCheck([{ ...alarm, cleared_at: "2026-01-02T00:00:00Z" }], true).state).toBe("good");
    expect(selfCheck([], false).state).toBe("unknown");
  });
});

describe("a place", () => {
  it("needs an address, written or in its parts", () => {
    expect([...wrongWith(hall).keys()]).toEqual(["address"]);
    const civic = { ...hall.civic, street: "Lange Straße", house_number: "4", city: "Bremen", floor: "2" };
    expect(addressText({ ...hall, civic })).toBe("Lange Straße 4, Bremen, floor 2");
    expect(wrongWith({ ...hall, civic }).size).toBe(0);
    expect([...wrongWith({ ...hall, civic: { ...civic, country: "Germany" } }).keys()]).toEqual(["civic.country"]);
  });

  it("knows the phones that are there", () => {
    expect(phonesAt([{ emergency_location_id: "hall", name: "", mac: "01" }, { emergency_location_id: null, name: "x", mac: "" }], "hall")).toEqual(["01"]);
  });
});
