import { describe, expect, it } from "vitest";

import type { Gateway, Plan, Rule } from "../api/types";
import { addressText, freshGateway, rulesBy, wrongWith } from "./gateway";

const gateway = { gateway_id: "pri", name: "PRI", host: "192.0.2.10" } as Gateway;

describe("a gateway", () => {
  it("says where it is", () => {
    expect(addressText(gateway)).toBe("192.0.2.10");
    expect(addressText({ ...gateway, host: "2001:db8::1", port: 5062, transport: "tls" })).toBe("[2001:db8::1]:5062 by TLS");
  });

  it("has an id that no trunk has", () => {
    const plan = { trunks: [{ gateway_id: "gateway-1" }], gateways: [{ ...gateway, gateway_id: "gateway-2" }] } as Plan;
    expect(freshGateway(plan).gateway_id).toBe("gateway-3");
  });

  it("knows the rules that lead to it", () => {
    const out = { kind: "outside", rule_id: "r", name: "Out", gateways: ["pri"], patterns: [] } as unknown as Rule;
    const plan = { rules: [out, { kind: "internal", rule_id: "i", name: "In" }] } as Plan;
    expect(rulesBy(plan, "pri")).toEqual(["Out"]);
    expect(rulesBy(plan, "other")).toEqual([]);
  });

  it("is refused with what would be right", () => {
    expect(wrongWith(gateway)).toBeNull();
    expect(wrongWith({ ...gateway, host: "2001:db8::1" })).toBeNull();
    expect(wrongWith({ ...gateway, name: " " })).toContain("name");
    expect(wrongWith({ ...gateway, host: "" })).toContain("address");
    expect(wrongWith({ ...gateway, host: "sip:gw.test" })).toContain("no sip:");
    expect(wrongWith({ ...gateway, caller_id: "Front desk" })).toContain("caller ID");
    const national = { style: "national", country_code: "", national_prefix: "", international_prefix: "" } as const;
    expect(wrongWith({ ...gateway, numbers: national })).toContain("country code");
    expect(wrongWith({ ...gateway, numbers: { ...national, country_code: "41" } })).toBeNull();
  });
});
