/** Gateways of the plan: boxes in the house that carry calls to the public network. */
import { Button, Group, Stack, Text } from "@mantine/core";
import { useState } from "react";

import type { Gateway, Plan } from "../api/types";
import { DataTable } from "../shell/DataTable";
import { RowActions } from "../shell/RowActions";
import { State } from "../shell/State";
import { Card } from "../sites/OverviewTab";
import { GatewayPanel } from "./GatewayPanel";
import { addressText, freshGateway, rulesBy } from "./gateway";

interface Props {
  plan: Plan;
  onChange: (gateways: Gateway[]) => void;
}

export function Gateways({ plan, onChange }: Props) {
  const [edited, setEdited] = useState<Gateway | null>(null);
  const gateways = plan.gateways ?? [];
  return (
    <Card title="Gateways">
      <Stack gap="sm">
        {gateways.length === 0 ? (
          <Text size="sm" c="dimmed">
            None yet. A gateway carries calls between the site and the public network; rules name those by which calls leave.
          </Text>
        ) : (
          <DataTable
            label="Gateways"
            rows={gateways}
            rowKey={(gateway) => gateway.gateway_id}
            columns={[
              { title: "Name", cell: (gateway) => gateway.name },
              { title: "Address", cell: (gateway) => <span className="mono wrap-anywhere">{addressText(gateway)}</span> },
              { title: "Caller ID", cell: (gateway) => (gateway.block_caller_id ? "hidden" : (gateway.caller_id ?? "the user’s own")) },
              { title: "Rules", cell: (gateway) => rulesBy(plan, gateway.gateway_id).join(", ") || "none" },
              {
                title: "State",
                cell: (gateway) => (gateway.enabled === false ? <State tone="idle" label="Off" /> : <State tone="good" label="On" />),
              },
              {
                title: "",
                cell: (gateway) => (
                  <RowActions
                    name={gateway.name}
                    onEdit={() => setEdited(gateway)}
                    onDelete={
                      rulesBy(plan, gateway.gateway_id).length === 0
                        ? () => onChange(gateways.filter((one) => one.gateway_id !== gateway.gateway_id))
                        : undefined
                    }
                    deleteLabel="Remove"
                  />
                ),
              },
            ]}
          />
        )}
        <Group>
          <Button variant="default" size="compact-sm" onClick={() => setEdited(freshGateway(plan))}>
            Add a gateway
          </Button>
        </Group>
      </Stack>
      {edited ? (
        <GatewayPanel
          gateway={edited}
          isNew={!gateways.some((one) => one.gateway_id === edited.gateway_id)}
          onClose={() => setEdited(null)}
          onDone={(gateway) => {
            const at = gateways.findIndex((one) => one.gateway_id === gateway.gateway_id);
            onChange(at < 0 ? [...gateways, gateway] : gateways.map((one, place) => (place === at ? gateway : one)));
            setEdited(null);
          }}
        />
      ) : null}
    </Card>
  );
}
