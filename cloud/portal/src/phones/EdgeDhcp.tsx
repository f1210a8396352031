/** What a site's edge does about DHCP: its state, who has which address, and other servers that answered. */
import { Alert, Button, Group, Stack, Text, Title } from "@mantine/core";
import { useState } from "react";

import { api } from "../api/client";
import { useLive } from "../api/live";
import type { DhcpLease, DhcpStatus, OtherDhcpServer, Site } from "../api/types";
import { showMac } from "../devices/mac";
import { DataTable, type Column } from "../shell/DataTable";
import { Loaded } from "../shell/Page";
import { State, type Tone } from "../shell/State";
import { Ago, Moment } from "../shell/When";
import { DhcpForm } from "./DhcpForm";

const STATES: Record<DhcpStatus["state"], { tone: Tone; text: string }> = {
  off: { tone: "idle", text: "Off" },
  looking: { tone: "waiting", text: "Looks for other servers" },
  serving: { tone: "good", text: "Gives addresses" },
  proxy: { tone: "good", text: "Answers beside another server" },
  withdrawn: { tone: "bad", text: "Gives no addresses: another server answers" },
  failed: { tone: "bad", text: "Cannot be served" },
};

export function EdgeDhcp({ site }: { site: Site }) {
  const [editing, setEditing] = useState(false);
  const edge = site.edges.find((one) => one.online);
  const rules = site.provisioning.dhcp;
  return (
    <section aria-label="DHCP at the edge">
      <Stack gap="sm">
        <Group justify="space-between">
          <Title order={2} size="h4">
            DHCP at the edge
          </Title>
          <Button variant="default" onClick={() => setEditing(true)}>
            Change
          </Button>
        </Group>
        {rules === null ? <Text>The edge answers no DHCP; the network's own server does.</Text> : null}
        {rules !== null && edge === undefined ? <Text c="dimmed">No edge is connected, so that it cannot be asked how DHCP stands.</Text> : null}
        {rules !== null && edge !== undefined ? <Status site={site} edgeId={edge.edge_id} /> : null}
      </Stack>
      {editing ? <DhcpForm site={site} onClose={() => setEditing(false)} /> : null}
    </section>
  );
}

function Status({ site, edgeId }: { site: Site; edgeId: string }) {
  const query = useLive<DhcpStatus>(
    ["edge-dhcp", edgeId, site.version],
    (init) => api.GET("/edges/{edge_id}/dhcp", { ...init, params: { path: { edge_id: edgeId } } }),
    { poll: false },
  );
  return (
    <Loaded query={query}>
      {(status) => (
        <Stack gap="sm">
          <Group justify="space-between">
            <Group gap="md">
              <State tone={STATES[status.state].tone} label={STATES[status.state].text} />
              {status.pool_size > 0 ? (
                <Text size="sm" c="dimmed">
                  {status.pool_free} of {status.pool_size} addresses are free
                </Text>
              ) : null}
            </Group>
            <Button size="xs" variant="default" loading={query.isFetching} onClick={() => void query.refetch()}>
              Ask again
            </Button>
          </Group>
          {status.problem ? <Alert color="red">{status.problem}</Alert> : null}
          {status.others.length > 0 ? <DataTable label="Other DHCP servers" columns={OTHERS} rows={status.others} rowKey={(one) => one.address} /> : null}
          {status.leases.length > 0 ? <DataTable label="Leases" columns={leaseColumns(site)} rows={status.leases} rowKey={(one) => one.address} /> : null}
        </Stack>
      )}
    </Loaded>
  );
}

const OTHERS: Column<OtherDhcpServer>[] = [
  { title: "Other server", cell: (one) => <span className="mono">{one.address}</span> },
  { title: "On", cell: (one) => one.interface },
  { title: "Offered", cell: (one) => one.offered ?? "—" },
  { title: "Seen", cell: (one) => <Ago at={one.seen_at} /> },
];

function leaseColumns(site: Site): Column<DhcpLease>[] {
  return [
    { title: "Address", cell: (lease) => <span className="mono">{lease.address}</span> },
    { title: "MAC address", cell: (lease) => <span className="mono">{showMac(lease.mac)}</span> },
    { title: "Says it is", cell: (lease) => lease.vendor_class || <Text c="dimmed">—</Text> },
    { title: "Switch port", cell: (lease) => lease.switch_port || <Text c="dimmed">—</Text> },
    { title: "Until", cell: (lease) => (lease.reserved ? "reserved" : <Moment at={lease.ends_at} zone={site.time_zone} />) },
  ];
}
