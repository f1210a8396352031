/** Making or changing a webhook endpoint. */
import { Checkbox, Select, SimpleGrid, Switch, TextInput } from "@mantine/core";

import { api, bodyOf, ifMatch } from "../api/client";
import { refresh } from "../api/live";
import type { WebhookEndpoint, WebhookEventType } from "../api/types";
import { FormDrawer } from "../forms/FormDrawer";
import { useDraft } from "../forms/useDraft";
import { tellDone } from "../shell/notices";
import { useTenants } from "../tenants/useTenants";
import { EVENT_TYPES } from "./eventTypes";

interface EndpointValues {
  tenant_id: string | null;
  url: string;
  description: string;
  event_types: WebhookEventType[];
  enabled: boolean;
}

function valuesOf(endpoint: WebhookEndpoint): EndpointValues {
  const { tenant_id, url, description, enabled } = endpoint;
  return { tenant_id, url, description, enabled, event_types: endpoint.event_types as WebhookEventType[] };
}

interface Props {
  endpoint?: WebhookEndpoint;
  onMade: (secret: string) => void;
  onClose: () => void;
}

export function EndpointForm({ endpoint, onMade, onClose }: Props) {
  const tenants = useTenants();
  const only = tenants.data?.length === 1 ? (tenants.data[0]?.id ?? null) : null;
  const draft = useDraft<EndpointValues>({
    initial: endpoint ? valuesOf(endpoint) : { tenant_id: only, url: "", description: "", event_types: [], enabled: true },
    version: endpoint?.version,
    save: async (values, changes, version) => {
      if (endpoint) {
        const { tenant_id: _, ...body } = changes;
        const params = { path: { endpoint_id: endpoint.id }, header: ifMatch(version) };
        await bodyOf(api.PATCH("/webhook-endpoints/{endpoint_id}", { params, body }));
        tellDone("The endpoint was saved");
      } else {
        const made = await bodyOf(api.POST("/webhook-endpoints", { body: values }));
        onMade(made.secret);
      }
      await refresh(["webhook-endpoints"]);
      onClose();
    },
    reload: async () => {
      const path = { endpoint_id: endpoint?.id ?? "" };
      const saved = await bodyOf(api.GET("/webhook-endpoints/{endpoint_id}", { params: { path } }));
      return { values: valuesOf(saved), version: saved.version };
    },
  });
  return (
    <FormDrawer
      title={endpoint ? "Edit endpoint" : "New webhook endpoint"}
      saveLabel={endpoint ? "Save" : "Create endpoint"}
      draft={draft}
      onClose={onClose}
    >
      {endpoint || only ? null : (
        <Select
          label="Tenant"
          searchable
          data={(tenants.data ?? []).map((tenant) => ({ value: tenant.id, label: tenant.name }))}
          {...draft.field("tenant_id")}
        />
      )}
      <TextInput
        label="Address"
        description="Events are sent here by POST, signed as Standard Webhooks asks"
        placeholder="https://hooks.example.com/tandem"
        type="url"
        data-autofocus
        {...draft.text("url")}
      />
      <TextInput label="Description" {...draft.text("description")} />
      <Checkbox.Group
        label="Events"
        description="None chosen: all of them"
        value={draft.values.event_types}
        onChange={(chosen) => draft.set({ event_types: chosen as WebhookEventType[] })}
        error={draft.problemAt("event_types")}
      >
        <SimpleGrid cols={{ base: 1, xs: 2 }} spacing="xs" mt={6}>
          {Object.entries(EVENT_TYPES).map(([value, label]) => (
            <Checkbox key={value} value={value} label={label} />
          ))}
        </SimpleGrid>
      </Checkbox.Group>
      <Switch
        label="Enabled"
        checked={draft.values.enabled}
        onChange={(event) => draft.set({ enabled: event.currentTarget.checked })}
      />
    </FormDrawer>
  );
}
