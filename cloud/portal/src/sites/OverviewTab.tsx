/** A site at a glance: its edges, its versions, what is wrong, and what to do next. */
import { Alert, Anchor, Button, Group, Paper, SimpleGrid, Stack, Text, Title } from "@mantine/core";
import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";

import { api, bodyOf } from "../api/client";
import { refresh, useLivePages } from "../api/live";
import type { Alarm, Site } from "../api/types";
import { edgeTone } from "../edges/edgeState";
import { Loaded } from "../shell/Page";
import { State } from "../shell/State";
import { Ago, Moment } from "../shell/When";
import { tellDone, tellProblem } from "../shell/notices";
import { ProblemList, VersionState } from "./EdgeState";
import { appliedText, versionSummary } from "./siteState";

export function OverviewTab({ site }: { site: Site }) {
  const { problems } = versionSummary(site);
  return (
    <Stack>
      {site.edges.length === 0 ? (
        <Alert title="No edge yet">
          Add users and devices, then{" "}
          <Anchor component={Link} to={`/sites/${site.id}/edges`}>
            enroll an edge
          </Anchor>
          : the agent that registers this site's phones.
        </Alert>
      ) : null}
      {problems.length > 0 ? (
        <Alert color="red" title="The edge refused the newest configuration and keeps running the one before">
          <ProblemList problems={problems} />
        </Alert>
      ) : null}
      <SimpleGrid cols={{ base: 1, md: 2 }}>
        <ConfigurationCard site={site} />
        <EdgesCard site={site} />
      </SimpleGrid>
      <AlarmsCard site={site} />
    </Stack>
  );
}

export function Card({ title, actions, children }: { title: string; actions?: ReactNode; children: ReactNode }) {
  return (
    <Paper className="card" p="md" component="section" aria-label={title}>
      <Group justify="space-between" mb="sm">
        <Title order={2}>{title}</Title>
        {actions}
      </Group>
      {children}
    </Paper>
  );
}

function Fact({ name, children }: { name: string; children: ReactNode }) {
  return (
    <Group justify="space-between" align="flex-start" wrap="nowrap">
      <Text size="sm" c="dimmed" component="span">
        {name}
      </Text>
      <Text size="sm" component="div" ta="right">
        {children}
      </Text>
    </Group>
  );
}

function ConfigurationCard({ site }: { site: Site }) {
  const publish = () => {
    bodyOf(api.POST("/sites/{site_id}/publish", { params: { path: { site_id: site.id } } })).then(() => {
      tellDone("The site is published again");
      return refresh(["sites"]);
    }, tellProblem);
  };
  return (
    <Card
      title="Configuration"
      actions={
        <Button size="compact-sm" variant="default" onClick={publish}>
          Publish again
        </Button>
      }
    >
      <Stack gap="xs">
        <Fact name="State">
          <VersionState site={site} />
        </Fact>
        <Fact name="Wanted version">{site.wanted_version ?? "—"}</Fact>
        <Fact name="Applied version">{appliedText(site.edges) ?? "—"}</Fact>
        <Fact name="Published">{site.published_at ? <Ago at={site.published_at} /> : "never"}</Fact>
        <Fact name="Time zone">{site.time_zone}</Fact>
        <Fact name="Digest algorithms">{site.digest_algorithms.join(", ")}</Fact>
      </Stack>
    </Card>
  );
}

function EdgesCard({ site }: { site: Site }) {
  return (
    <Card
      title="Edges"
      actions={
        <Anchor component={Link} to={`/sites/${site.id}/edges`} size="sm">
          Manage
        </Anchor>
      }
    >
      {site.edges.length === 0 ? (
        <Text size="sm" c="dimmed">
          None.
        </Text>
      ) : (
        <Stack gap="md">
          {site.edges.map((edge) => (
            <Stack gap={4} key={edge.edge_id}>
              <Group justify="space-between">
                <Text fw={560}>{edge.name}</Text>
                <State {...edgeTone(edge)} />
              </Group>
              {edge.last_seen_at && !edge.online ? (
                <Fact name="Last seen">
                  <Ago at={edge.last_seen_at} />
                </Fact>
              ) : null}
              {edge.online ? <Fact name="Connected by">{edge.transport === "quic" ? "QUIC" : "WebSocket"}</Fact> : null}
              {edge.online && edge.address ? <Fact name="From">{edge.address}</Fact> : null}
              {edge.agent_version ? <Fact name="Agent">{edge.agent_version}</Fact> : null}
              {edge.applied_at ? (
                <Fact name={`Version ${edge.applied_version ?? ""} applied`}>
                  <Ago at={edge.applied_at} />
                </Fact>
              ) : null}
            </Stack>
          ))}
        </Stack>
      )}
    </Card>
  );
}

function AlarmsCard({ site }: { site: Site }) {
  const alarms = useLivePages<Alarm>(["alarms", site.id], (init, cursor) =>
    api.GET("/alarms", { ...init, params: { query: { site_id: site.id, limit: 10, cursor } } }),
  );
  return (
    <Card title="Alarms">
      <Loaded query={{ data: alarms.items, error: alarms.error, refetch: alarms.refetch }}>
        {(items) =>
          items.length === 0 ? (
            <Text size="sm" c="dimmed">
              Nothing was ever wrong here.
            </Text>
          ) : (
            <Stack gap="sm">
              {items.map((alarm) => (
                <Group key={alarm.id} justify="space-between" align="flex-start">
                  <State tone={alarm.cleared_at ? "idle" : alarm.severity === "warning" ? "waiting" : "bad"} label={alarm.text} />
                  <Text size="sm" c="dimmed">
                    <Moment at={alarm.raised_at} zone={site.time_zone} />
                    {alarm.cleared_at ? (
                      <>
                        , cleared <Ago at={alarm.cleared_at} />
                      </>
                    ) : (
                      ", still open"
                    )}
                  </Text>
                </Group>
              ))}
            </Stack>
          )
        }
      </Loaded>
    </Card>
  );
}
