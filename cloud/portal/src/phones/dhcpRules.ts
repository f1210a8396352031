/** The site's DHCP rules as the form shows them, and back. */
import type { DhcpRange, DhcpService, NewDhcpService } from "../api/types";

export type DhcpMode = "off" | "beside" | "addresses";

export interface RangeDraft {
  network: string;
  first: string;
  last: string;
  router: string;
  name_servers: string[];
  ntp_servers: string[];
  lease_hours: number;
  /** One a line: MAC address, address. */
  reservations: string;
}

export interface DhcpDraft {
  mode: DhcpMode;
  voice_vlan: number | string;
  known_only: boolean;
  proxy_offers: boolean;
  ranges: RangeDraft[];
}

export const NEW_RANGE: RangeDraft = {
  network: "",
  first: "",
  last: "",
  router: "",
  name_servers: [],
  ntp_servers: [],
  lease_hours: 12,
  reservations: "",
};

export function draftOf(rules: DhcpService | null): DhcpDraft {
  return {
    mode: rules === null ? "off" : rules.ranges.length > 0 ? "addresses" : "beside",
    voice_vlan: rules?.voice_vlan ?? "",
    known_only: rules?.known_only ?? false,
    proxy_offers: rules?.proxy_offers ?? false,
    ranges: rules?.ranges.length ? rules.ranges.map(rangeDraft) : [NEW_RANGE],
  };
}

function rangeDraft(range: DhcpRange): RangeDraft {
  return {
    network: range.network,
    first: range.first,
    last: range.last,
    router: range.router ?? "",
    name_servers: range.name_servers,
    ntp_servers: range.ntp_servers,
    lease_hours: range.lease_seconds / 3600,
    reservations: range.reservations.map((one) => `${one.mac} ${one.address}`).join("\n"),
  };
}

export function rulesOf(draft: DhcpDraft): NewDhcpService | null {
  if (draft.mode === "off") return null;
  const ranges = draft.mode === "addresses" ? draft.ranges : [];
  return {
    voice_vlan: draft.voice_vlan === "" ? null : Number(draft.voice_vlan),
    known_only: draft.mode === "addresses" && draft.known_only,
    proxy_offers: draft.mode === "beside" && draft.proxy_offers,
    ranges: ranges.map((range) => ({
      network: range.network.trim(),
      first: range.first.trim(),
      last: range.last.trim(),
      router: range.router.trim() || null,
      name_servers: range.name_servers,
      ntp_servers: range.ntp_servers,
      lease_seconds: Math.round(range.lease_hours * 3600),
      reservations: reservationsOf(range.reservations),
    })),
  };
}

export function reservationsOf(text: string): { mac: string; address: string }[] {
  return text
    .split("\n")
    .map((line) => line.trim().split(/[\s,;=]+/))
    .filter((words) => words[0] !== "")
    .map(([mac = "", address = ""]) => ({ mac, address }));
}
