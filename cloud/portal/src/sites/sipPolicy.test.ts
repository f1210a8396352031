import { describe, expect, it } from "vitest";

import { asNetworks, peerText } from "./sipPolicy";

describe("a trusted peer", () => {
  it("is known by its addresses, its certificate, or either", () => {
    const peer = { name: "Trunk", networks: ["192.0.2.1/32", "2001:db8::/64"], port: 5060, certificate_names: [] };
    expect(peerText(peer)).toBe("192.0.2.1, 2001:db8::/64, UDP port 5060");
    expect(peerText({ ...peer, networks: [], certificate_names: ["a.test", "b.test"] })).toBe(
      "certificate for a.test or b.test",
    );
    expect(peerText({ ...peer, networks: ["192.0.2.1/32"], port: 0, certificate_names: ["a.test"] })).toBe(
      "192.0.2.1; or certificate for a.test",
    );
  });

  it("may be typed by its address alone", () => {
    expect(asNetworks(["192.0.2.1", " 10.0.0.0/8", "2001:db8::1"])).toEqual(["192.0.2.1/32", "10.0.0.0/8", "2001:db8::1/128"]);
  });
});
