/** Webhook endpoints: where events go. */
import { Badge, Button, Group, Switch, Text } from "@mantine/core";
import { Link } from "@tanstack/react-router";
import { useMemo, useState } from "react";

import { api, bodyOf, ifMatch } from "../api/client";
import { refresh, useLiveAll } from "../api/live";
import type { WebhookEndpoint } from "../api/types";
import { Confirm } from "../shell/Confirm";
import { DataTable, type Column } from "../shell/DataTable";
import { Empty, Loaded, Page } from "../shell/Page";
import { RowActions } from "../shell/RowActions";
import { ShownOnce } from "../shell/ShownOnce";
import { PlusIcon } from "../shell/icons";
import { tellDone, tellProblem } from "../shell/notices";
import { useTenants } from "../tenants/useTenants";
import { EndpointForm } from "./EndpointForm";
import { EVENT_TYPES } from "./eventTypes";

export function WebhooksPage() {
  const endpoints = useLiveAll<WebhookEndpoint>(["webhook-endpoints"], (init, cursor) =>
    api.GET("/webhook-endpoints", { ...init, params: { query: { limit: 200, cursor } } }),
  );
  const tenants = useTenants();
  const names = useMemo(() => new Map(tenants.data?.map((tenant) => [tenant.id, tenant.name])), [tenants.data]);
  const [edited, setEdited] = useState<WebhookEndpoint | "new" | null>(null);
  const [deleted, setDeleted] = useState<WebhookEndpoint | null>(null);
  const [secret, setSecret] = useState<string | null>(null);
  const columns: Column<WebhookEndpoint>[] = [
    {
      title: "Endpoint",
      cell: (endpoint) => (
        <div>
          <Link
            to="/webhook-endpoints/$endpointId"
            params={{ endpointId: endpoint.id }}
            className="row-link wrap-anywhere"
          >
            {endpoint.url}
          </Link>
          {endpoint.description ? (
            <Text size="xs" c="dimmed">
              {endpoint.description}
            </Text>
          ) : null}
        </div>
      ),
    },
    { title: "Tenant", cell: (endpoint) => names.get(endpoint.tenant_id) ?? "" },
    { title: "Events", cell: (endpoint) => <EventTypes types={endpoint.event_types} /> },
    { title: "Enabled", cell: (endpoint) => <EndpointSwitch endpoint={endpoint} /> },
    {
      title: "",
      align: "right",
      cell: (endpoint) => (
        <RowActions name={endpoint.url} onEdit={() => setEdited(endpoint)} onDelete={() => setDeleted(endpoint)} />
      ),
    },
  ];
  const newButton = (
    <Button leftSection={<PlusIcon size={16} />} onClick={() => setEdited("new")}>
      New endpoint
    </Button>
  );
  return (
    <Page title="Webhooks" actions={newButton}>
      <Loaded query={endpoints}>
        {(all) =>
          all.length === 0 ? (
            <div className="card">
              <Empty title="No webhook endpoints yet" action={newButton}>
                A webhook tells another system when an edge goes offline, a phone registers or a call ends. Give the
                address of a receiver; its signing secret is shown once.
              </Empty>
            </div>
          ) : (
            <DataTable label="Webhook endpoints" columns={columns} rows={all} rowKey={(endpoint) => endpoint.id} />
          )
        }
      </Loaded>
      {edited !== null ? (
        <EndpointForm
          endpoint={edited === "new" ? undefined : edited}
          onMade={setSecret}
          onClose={() => setEdited(null)}
        />
      ) : null}
      {secret !== null ? <EndpointSecret secret={secret} onClose={() => setSecret(null)} /> : null}
      {deleted ? (
        <Confirm
          title="Delete this endpoint?"
          action="Delete endpoint"
          run={async () => {
            const params = { path: { endpoint_id: deleted.id }, header: ifMatch(deleted.version) };
            await bodyOf(api.DELETE("/webhook-endpoints/{endpoint_id}", { params }));
            await refresh(["webhook-endpoints"]);
            tellDone("The endpoint was deleted");
          }}
          onClose={() => setDeleted(null)}
        >
          <span className="wrap-anywhere">{deleted.url}</span> gets no more events, and its deliveries are deleted.
        </Confirm>
      ) : null}
    </Page>
  );
}

export function EndpointSecret({ secret, onClose }: { secret: string; onClose: () => void }) {
  return (
    <ShownOnce
      title="Signing secret"
      text="The receiver needs it to check that events are ours."
      secrets={[{ label: "Secret", value: secret }]}
      onClose={onClose}
    />
  );
}

export function EventTypes({ types }: { types: readonly string[] }) {
  if (types.length === 0) return <Badge color="gray">All events</Badge>;
  return (
    <Group gap={4}>
      {types.map((type) => (
        <Badge key={type} color="gray">
          {EVENT_TYPES[type as keyof typeof EVENT_TYPES] ?? type}
        </Badge>
      ))}
    </Group>
  );
}

export function EndpointSwitch({ endpoint, label }: { endpoint: WebhookEndpoint; label?: string }) {
  const [saving, setSaving] = useState(false);
  const change = async (enabled: boolean) => {
    setSaving(true);
    try {
      const params = { path: { endpoint_id: endpoint.id }, header: ifMatch(endpoint.version) };
      await bodyOf(api.PATCH("/webhook-endpoints/{endpoint_id}", { params, body: { enabled } }));
    } catch (error) {
      tellProblem(error);
    } finally {
      await refresh(["webhook-endpoints"]);
      setSaving(false);
    }
  };
  return (
    <div>
      <Switch
        size="sm"
        label={label}
        checked={endpoint.enabled}
        disabled={saving}
        onChange={(event) => void change(event.currentTarget.checked)}
        aria-label={`${endpoint.url} is enabled`}
      />
      {!endpoint.enabled && endpoint.disabled_reason ? (
        <Text size="xs" c="dimmed">
          {endpoint.disabled_reason}
        </Text>
      ) : null}
    </div>
  );
}
