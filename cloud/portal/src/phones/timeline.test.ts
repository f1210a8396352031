import { describe, expect, it } from "vitest";

import type { Device, PhoneRefusal, Registration } from "../api/types";
import { timelineOf } from "./timeline";

const device = {
  id: "d",
  mac: "805ec0000001",
  created_at: "2026-01-01T10:00:00Z",
  visit: {
    address: "192.0.2.7",
    protocol: "https",
    proof: "certificate",
    firmware: "96.86",
    fetched_at: "2026-01-01T11:00:01Z",
    fetched_version: 3,
    resync_state: "fetched",
    resync_text: "",
    resync_at: "2026-01-01T11:00:02Z",
  },
} as unknown as Device;

describe("what happened to a phone", () => {
  it("is told the latest first, of this phone alone", () => {
    const registrations = [
      { id: "r", device_id: "d", source: "192.0.2.7:5060", transport: "udp", registered_at: "2026-01-01T12:00:00Z" },
      { id: "s", device_id: "e", source: "", transport: "udp", registered_at: "2026-01-01T12:00:00Z" },
    ] as unknown as Registration[];
    const refusals = [
      { id: "x", mac: "805ec0000001", device_id: null, reason: "clear_text", address: "a", protocol: "tftp", times_seen: 2, last_seen_at: "2026-01-01T10:30:00Z" },
      { id: "y", mac: "805ec0000002", device_id: null, reason: "clear_text", address: "a", protocol: "tftp", times_seen: 2, last_seen_at: "2026-01-01T10:30:00Z" },
    ] as unknown as PhoneRefusal[];
    const found = timelineOf(device, refusals, [], registrations);
    expect(found.map((one) => one.key)).toEqual(["r", "asked", "fetched", "x", "created"]);
    expect(found[2]?.detail).toBe("by HTTPS from 192.0.2.7, proven by its certificate, firmware 96.86, made from version 3");
    expect(found[3]?.detail).toContain("2 times");
  });

  it("begins with the portal where no phone has come yet", () => {
    expect(timelineOf({ ...device, visit: null }, [], [], []).map((one) => one.key)).toEqual(["created"]);
  });
});
