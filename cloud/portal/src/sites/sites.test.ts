import { describe, expect, it } from "vitest";

import type { Site, SiteEdge } from "../api/types";
import { chooseSites, countSites } from "./chooseSites";
import { appliedText, edgeSummary, versionSummary } from "./siteState";

function edge(changes: Partial<SiteEdge> = {}): SiteEdge {
  return {
    edge_id: "e",
    name: "Edge",
    enrolled: true,
    online: true,
    last_seen_at: "2026-01-01T10:00:00Z",
    transport: "quic",
    address: "",
    agent_version: "",
    applied_version: 3,
    applied_at: null,
    rejected_version: null,
    rejected_problems: [],
    ...changes,
  };
}

function site(name: string, edges: SiteEdge[], tenant_id = "t"): Site {
  return {
    id: name,
    version: 1,
    created_at: "",
    updated_at: "",
    tenant_id,
    name,
    time_zone: "UTC",
    provisioning: {
    served_networks: [],
    clear_text_networks: [],
    proof_required: false,
    answer_unknown: false,
    approved_only: false,
    requests_per_minute_per_address: 1200,
    requests_per_minute_per_phone: 120,
    dhcp: null,
    firmware_hours: [],
    server_name: null,
  },
  recording: {
    rules: [],
    on_demand: { announcement: "before", keys: null },
    longest_minutes: 120,
    kept_days: 90,
    disk_mb: 5000,
    upload: false,
  },
  sip: {
    from_policy: "strict",
    foreign_hosts: [],
    trusted_peers: [],
    country: null,
    emergency_numbers: [],
    numbers_for_help: [],
    qualify_phones_seconds: 0,
    qualify_phones: "behind_nat",
    qualify_gateways_seconds: 0,
    relay_media: "behind_nat",
    media_exceptions: [],
    local_networks: [],
    direct_behind_one_nat: true,
    remote_tls_only: false,
  },
  voicemail: {
    language: "en",
    longest_seconds: 180,
    shortest_seconds: 2,
    silence_seconds: 5,
    messages: 100,
    deleted_days: 7,
    kept_days: 0,
    recordings_leave: false,
    operator: "",
    lists: [],
  },
  digest_algorithms: ["MD5"],
    wanted_version: 3,
    published_at: null,
    edges,
  };
}

describe("a site's edges", () => {
  it("are none, waited for, online, partly so, or offline since the last one was seen", () => {
    expect(edgeSummary([]).label).toBe("No edge");
    expect(edgeSummary([edge({ enrolled: false, online: false })]).label).toBe("Waiting for enrollment");
    expect(edgeSummary([edge()]).label).toBe("Online");
    expect(edgeSummary([edge(), edge({ online: false })]).label).toBe("1 of 2 online");
    const later = edge({ online: false, last_seen_at: "2026-01-01T11:00:00Z" });
    expect(edgeSummary([later, edge({ online: false })])).toEqual({
      tone: "bad",
      label: "Offline",
      since: "2026-01-01T11:00:00Z",
    });
  });
});

describe("a site's configuration", () => {
  it("is in sync, behind, or rejected with the reasons", () => {
    expect(versionSummary(site("a", [edge()])).label).toBe("In sync");
    expect(versionSummary(site("a", [edge({ applied_version: 2 })])).label).toBe("Behind");
    const rejecting = edge({ applied_version: 2, rejected_version: 3, rejected_problems: ["no"] });
    expect(versionSummary(site("a", [rejecting]))).toEqual({ tone: "bad", label: "Rejected", problems: ["no"] });
    expect(versionSummary({ wanted_version: null, edges: [] }).label).toBe("Not published");
  });

  it("tells the applied versions as one number or a range", () => {
    expect(appliedText([])).toBeNull();
    expect(appliedText([edge()])).toBe("3");
    expect(appliedText([edge(), edge({ applied_version: 1 })])).toBe("1–3");
  });
});

describe("the site list", () => {
  const all = [site("Shop", [edge({ online: false })]), site("Main", [edge()]), site("Lab", [], "u")];
  const tenants = new Map([
    ["t", "Bakery"],
    ["u", "Clinic"],
  ]);

  it("counts each site once", () => {
    expect(countSites(all)).toEqual({ all: 3, online: 1, offline: 1, waiting: 1 });
  });

  it("is searched by site and tenant, filtered by state, sorted by tenant and name", () => {
    const names = (search: string, choice: "all" | "offline") =>
      chooseSites(all, tenants, search, choice).map((one) => one.name);
    expect(names("", "all")).toEqual(["Main", "Shop", "Lab"]);
    expect(names("CLINIC", "all")).toEqual(["Lab"]);
    expect(names("", "offline")).toEqual(["Shop"]);
  });
});
