/** One webhook endpoint with what was sent to it. */
import { ActionIcon, Anchor, Button, Center, Group, SegmentedControl, Stack, Text } from "@mantine/core";
import { Link } from "@tanstack/react-router";
import { useState } from "react";

import { api, bodyOf } from "../api/client";
import { refresh, useLive, useLivePages } from "../api/live";
import { ProblemError } from "../api/problem";
import type { WebhookDelivery, WebhookEndpoint } from "../api/types";
import { DataTable, type Column } from "../shell/DataTable";
import { Empty, Loaded, Page } from "../shell/Page";
import { State, type Tone } from "../shell/State";
import { Ago, Moment } from "../shell/When";
import { ChevronIcon } from "../shell/icons";
import { tellDone, tellProblem } from "../shell/notices";
import { EndpointSecret, EndpointSwitch, EventTypes } from "./WebhooksPage";
import { EVENT_TYPES } from "./eventTypes";

const STATES: Record<string, { tone: Tone; label: string }> = {
  pending: { tone: "waiting", label: "On its way" },
  delivered: { tone: "good", label: "Delivered" },
  failed: { tone: "bad", label: "Failed" },
  cancelled: { tone: "idle", label: "Cancelled" },
};

export function EndpointPage({ endpointId }: { endpointId: string }) {
  const path = { endpoint_id: endpointId };
  const query = useLive(["webhook-endpoints", endpointId], (init) =>
    api.GET("/webhook-endpoints/{endpoint_id}", { ...init, params: { path } }),
  );
  if (query.error instanceof ProblemError && [404, 422].includes(query.error.status)) {
    return (
      <Page title="Endpoint not found">
        <div className="card">
          <Empty
            title="There is no such endpoint"
            action={
              <Button component={Link} to="/webhook-endpoints">
                To the webhooks
              </Button>
            }
          />
        </div>
      </Page>
    );
  }
  return <Loaded query={query}>{(endpoint) => <Deliveries endpoint={endpoint} />}</Loaded>;
}

function Deliveries({ endpoint }: { endpoint: WebhookEndpoint }) {
  const [state, setState] = useState("");
  const [opened, setOpened] = useState<string | null>(null);
  const [secret, setSecret] = useState<string | null>(null);
  const key = ["webhook-deliveries", endpoint.id, state];
  const deliveries = useLivePages<WebhookDelivery>(key, (init, cursor) => {
    const query = { endpoint_id: endpoint.id, limit: 50, cursor, ...(state ? { state: state as "failed" } : {}) };
    return api.GET("/webhook-deliveries", { ...init, params: { query } });
  });
  const replay = (delivery: WebhookDelivery) => {
    const params = { path: { delivery_id: delivery.id } };
    bodyOf(api.POST("/webhook-deliveries/{delivery_id}/replay", { params })).then(() => {
      tellDone("It is sent again");
      return refresh(["webhook-deliveries", endpoint.id]);
    }, tellProblem);
  };
  const rotate = () => {
    const params = { path: { endpoint_id: endpoint.id } };
    bodyOf(api.POST("/webhook-endpoints/{endpoint_id}/secret", { params })).then((made) => {
      setSecret(made.secret);
      return refresh(["webhook-endpoints"]);
    }, tellProblem);
  };
  const columns: Column<WebhookDelivery>[] = [
    { title: "Event", cell: (one) => EVENT_TYPES[one.event_type as keyof typeof EVENT_TYPES] ?? one.event_type },
    { title: "When", cell: (one) => <Moment at={one.created_at} /> },
    {
      title: "State",
      cell: (one) => (
        <State
          {...(STATES[one.state] ?? { tone: "idle" as const, label: one.state })}
          detail={one.state === "pending" && one.next_attempt_at ? `attempt ${one.attempts + 1}` : undefined}
        />
      ),
    },
    { title: "Answer", cell: (one) => one.response_status ?? (one.error || <Text c="dimmed">—</Text>) },
    { title: "Attempts", align: "right", cell: (one) => one.attempts },
    {
      title: "",
      align: "right",
      cell: (one) => (
        <Group gap={4} wrap="nowrap" justify="flex-end">
          {one.state === "pending" ? null : (
            <Button size="compact-sm" variant="default" onClick={() => replay(one)} aria-label={`Replay ${one.event_type}`}>
              Replay
            </Button>
          )}
          <ActionIcon
            variant="subtle"
            color="gray"
            aria-expanded={opened === one.id}
            aria-label={`Show ${one.event_type}`}
            onClick={() => setOpened(opened === one.id ? null : one.id)}
            style={{ transform: opened === one.id ? "rotate(90deg)" : undefined }}
          >
            <ChevronIcon size={16} />
          </ActionIcon>
        </Group>
      ),
    },
  ];
  return (
    <Page
      title="Deliveries"
      trail={
        <>
          <Anchor component={Link} to="/webhook-endpoints" size="sm">
            Webhooks
          </Anchor>{" "}
          / <span className="wrap-anywhere">{endpoint.url}</span>
        </>
      }
      actions={
        <Button variant="default" onClick={rotate}>
          New secret
        </Button>
      }
    >
      <Group justify="space-between">
        <Group gap="md">
          <EndpointSwitch endpoint={endpoint} label="Enabled" />
          <EventTypes types={endpoint.event_types} />
        </Group>
        <SegmentedControl
          aria-label="Which deliveries"
          size="xs"
          value={state}
          onChange={setState}
          data={[
            { value: "", label: "All" },
            { value: "pending", label: "On their way" },
            { value: "delivered", label: "Delivered" },
            { value: "failed", label: "Failed" },
          ]}
        />
      </Group>
      <Loaded query={{ data: deliveries.items, error: deliveries.error, refetch: deliveries.refetch }}>
        {(all) =>
          all.length === 0 ? (
            <div className="card">
              <Empty title="Nothing was sent">Deliveries appear here as soon as one of the chosen events happens.</Empty>
            </div>
          ) : (
            <>
              <DataTable
                label="Deliveries"
                columns={columns}
                rows={all}
                rowKey={(one) => one.id}
                below={(one) => (opened === one.id ? <DeliveryDetails delivery={one} /> : null)}
              />
              {deliveries.hasNextPage ? (
                <Center>
                  <Button variant="default" onClick={() => void deliveries.fetchNextPage()}>
                    Show older deliveries
                  </Button>
                </Center>
              ) : null}
            </>
          )
        }
      </Loaded>
      {secret !== null ? <EndpointSecret secret={secret} onClose={() => setSecret(null)} /> : null}
    </Page>
  );
}

function DeliveryDetails({ delivery }: { delivery: WebhookDelivery }) {
  return (
    <Stack gap="xs" style={{ textAlign: "left" }} w="100%">
      <Text size="xs" c="dimmed" className="mono wrap-anywhere">
        {delivery.message_id}
        {delivery.last_attempt_at ? (
          <>
            , last tried <Ago at={delivery.last_attempt_at} />
          </>
        ) : null}
      </Text>
      <pre className="secret mono" style={{ whiteSpace: "pre-wrap", margin: 0 }}>
        {delivery.body}
      </pre>
      {delivery.error || delivery.response_text ? (
        <Text size="sm" className="wrap-anywhere">
          {delivery.error || `The receiver answered: ${delivery.response_text}`}
        </Text>
      ) : null}
    </Stack>
  );
}
