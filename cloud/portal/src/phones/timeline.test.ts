import { describe, expect, it } from "vitest";

import type { Device, Happening } from "../api/types";
import { timelineOf } from "./timeline";

const device = { id: "d", created_at: "2026-01-01T10:00:00Z" } as unknown as Device;
const happening = (kind: Happening["kind"], detail: Happening["detail"], times = 1): Happening => ({
  id: kind,
  kind,
  detail,
  times,
  first_at: "2026-01-01T11:00:00Z",
  at: "2026-01-01T11:00:00Z",
});

describe("what happened to a phone", () => {
  it("is told in words, each with its details", () => {
    const found = timelineOf(device, [
      happening("unregistered", { reason: "expired" }),
      happening("refused", { reason: "not_approved", protocol: "tftp", address: "192.0.2.7" }, 3),
      happening("fetched", { protocol: "https", address: "192.0.2.7", proof: "certificate", firmware: "96.86", version: 3 }),
      happening("adopted", { protocol: "dhcp", address: "192.0.2.7", switch_port: "ge-0/3" }),
    ]);
    expect(found.map((one) => one.label)).toEqual([
      "No longer registered",
      "Refused",
      "Fetched its files",
      "Adopted",
      "Created in the portal",
    ]);
    expect(found[0]?.detail).toBe("Its time was over");
    expect(found[1]?.detail).toContain("serves no others, by TFTP from 192.0.2.7, 3 times");
    expect(found[2]?.detail).toBe(
      "By HTTPS from 192.0.2.7, proven by its certificate, firmware 96.86, made from version 3",
    );
    expect(found[3]?.detail).toBe("By DHCP from 192.0.2.7, port ge-0/3");
  });

  it("begins with the portal where no phone has come yet", () => {
    expect(timelineOf(device, []).map((one) => one.key)).toEqual(["created"]);
  });
});
