/** The versions that were published for a site, and what each changed. */
import { Badge, Button, Center, Group, Modal, Stack, Text } from "@mantine/core";
import { useState } from "react";

import { api } from "../api/client";
import { useLive, useLivePages } from "../api/live";
import type { Site, SnapshotSummary } from "../api/types";
import { DataTable, type Column } from "../shell/DataTable";
import { Empty, Loaded } from "../shell/Page";
import { Moment } from "../shell/When";
import { recordChanges, type FieldChange, type RecordChange } from "./snapshotDiff";

export function SnapshotsTab({ site }: { site: Site }) {
  const snapshots = useLivePages<SnapshotSummary>(["snapshots", site.id], (init, cursor) =>
    api.GET("/snapshots", { ...init, params: { query: { site_id: site.id, limit: 50, cursor } } }),
  );
  const [shown, setShown] = useState<number | null>(null);
  const applied = new Set(site.edges.map((edge) => edge.applied_version));
  const rejected = new Set(site.edges.map((edge) => edge.rejected_version));
  const columns: Column<SnapshotSummary>[] = [
    {
      title: "Version",
      cell: (one) => (
        <Group gap="xs">
          <Text fw={580} size="sm">{one.version}</Text>
          {one.version === site.wanted_version ? <Badge color="gray">wanted</Badge> : null}
          {applied.has(one.version) ? <Badge color="green">applied</Badge> : null}
          {rejected.has(one.version) ? <Badge color="red">rejected</Badge> : null}
        </Group>
      ),
    },
    { title: "Cause", cell: (one) => one.cause },
    { title: `Published (${site.time_zone})`, cell: (one) => <Moment at={one.created_at} zone={site.time_zone} /> },
    {
      title: "",
      align: "right",
      cell: (one) => (
        <Button
          size="compact-sm"
          variant="default"
          onClick={() => setShown(one.version)}
          aria-label={`What version ${one.version} changed`}
        >
          Changes
        </Button>
      ),
    },
  ];
  return (
    <>
      <Loaded query={{ data: snapshots.items, error: snapshots.error, refetch: snapshots.refetch }}>
        {(all) =>
          all.length === 0 ? (
            <div className="card">
              <Empty title="Nothing was published yet">
                Every change of the site publishes a version; the edge applies it as a whole or says why not.
              </Empty>
            </div>
          ) : (
            <>
              <DataTable label="Versions" columns={columns} rows={all} rowKey={(one) => one.version} />
              {snapshots.hasNextPage ? (
                <Center mt="md">
                  <Button
                    variant="default"
                    loading={snapshots.isFetchingNextPage}
                    onClick={() => void snapshots.fetchNextPage()}
                  >
                    Show older versions
                  </Button>
                </Center>
              ) : null}
            </>
          )
        }
      </Loaded>
      {shown !== null ? <Changes site={site} version={shown} onClose={() => setShown(null)} /> : null}
    </>
  );
}

function Changes({ site, version, onClose }: { site: Site; version: number; onClose: () => void }) {
  const isFirst = version <= 1;
  return (
    <Modal
      opened
      onClose={onClose}
      size="xl"
      title={isFirst ? "Version 1: the first" : `Version ${version}: what changed since ${version - 1}`}
    >
      {isFirst ? <FirstVersion site={site} /> : <Since site={site} version={version} />}
    </Modal>
  );
}

function FirstVersion({ site }: { site: Site }) {
  const path = { site_id: site.id, version: 1 };
  const query = useLive(
    ["snapshot", site.id, 1],
    (init) => api.GET("/snapshots/{site_id}/{version}", { ...init, params: { path } }),
    { poll: false },
  );
  return (
    <Loaded query={query}>
      {({ content }) => {
        const count = (section: string) => (Array.isArray(content[section]) ? content[section].length : 0);
        return (
          <Text size="sm">
            It began with {count("users")} users, {count("devices")} devices and {count("lines")} lines.
          </Text>
        );
      }}
    </Loaded>
  );
}

function Since({ site, version }: { site: Site; version: number }) {
  const since = version - 1;
  const before = useLive(
    ["snapshot", site.id, since],
    (init) =>
      api.GET("/snapshots/{site_id}/{version}", { ...init, params: { path: { site_id: site.id, version: since } } }),
    { poll: false },
  );
  const diff = useLive(
    ["snapshot-diff", site.id, version],
    (init) =>
      api.GET("/snapshots/{site_id}/{version}/diff", {
        ...init,
        params: { path: { site_id: site.id, version }, query: { since } },
      }),
    { poll: false },
  );
  return (
    <Loaded query={before}>
      {(old) => (
        <Loaded query={diff}>
          {(found) => {
            const changes = recordChanges(found, old.content);
            if (changes.length === 0) return <Text size="sm">Nothing: it was published again as it was.</Text>;
            return (
              <Stack>
                {changes.map((change, place) => (
                  <ChangedRecord key={place} change={change} />
                ))}
              </Stack>
            );
          }}
        </Loaded>
      )}
    </Loaded>
  );
}

const SECTIONS: Record<string, string> = {
  users: "User",
  lines: "Line",
  devices: "Device",
  site: "Site",
  dial_plan: "Dial plan",
};
const COLORS = { added: "green", changed: "yellow", removed: "red" };

function ChangedRecord({ change }: { change: RecordChange }) {
  return (
    <section aria-label={`${SECTIONS[change.section] ?? change.section} ${change.name}`}>
      <Group gap="xs" mb={4}>
        <Text fw={580} size="sm">
          {SECTIONS[change.section] ?? change.section} {change.name}
        </Text>
        <Badge color={COLORS[change.change]}>{change.change}</Badge>
      </Group>
      <div className="card" style={{ overflow: "hidden" }}>
        {change.fields.map((field) => (
          <ChangedField key={field.field} change={field} />
        ))}
      </div>
    </section>
  );
}

function ChangedField({ change }: { change: FieldChange }) {
  return (
    <div className="mono">
      {change.before !== undefined ? (
        <div className="diff-row removed">
          <span aria-label="before">−</span> {change.field}: {JSON.stringify(change.before)}
        </div>
      ) : null}
      {change.after !== undefined ? (
        <div className="diff-row added">
          <span aria-label="after">+</span> {change.field}: {JSON.stringify(change.after)}
        </div>
      ) : null}
    </div>
  );
}
