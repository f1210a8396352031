import { expect, test } from "vitest";

import { draftOf, reservationsOf, rulesOf } from "./dhcpRules";

const RULES = {
  voice_vlan: 30,
  known_only: true,
  proxy_offers: false,
  ranges: [
    {
      network: "192.168.30.0/24",
      first: "192.168.30.100",
      last: "192.168.30.200",
      router: null,
      name_servers: ["192.168.30.1"],
      ntp_servers: [],
      lease_seconds: 43200,
      reservations: [{ mac: "001565000001", address: "192.168.30.9" }],
    },
  ],
};

test("rules that are shown and saved again are the same", () => {
  expect(rulesOf(draftOf(RULES))).toEqual(RULES);
  expect(rulesOf(draftOf(null))).toBeNull();
  expect(rulesOf({ ...draftOf(RULES), mode: "beside" })).toMatchObject({ ranges: [], known_only: false });
});

test("reservations are read however they are separated", () => {
  expect(reservationsOf("00:15:65:00:00:01 10.0.0.1\n\n00-15-65-00-00-02, 10.0.0.2 \n")).toEqual([
    { mac: "00:15:65:00:00:01", address: "10.0.0.1" },
    { mac: "00-15-65-00-00-02", address: "10.0.0.2" },
  ]);
});
