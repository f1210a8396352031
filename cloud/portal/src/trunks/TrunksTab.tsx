/** A site's SIP trunks: how each stands, what leads to it, and the order in which rules try them. */
import { Button, Group, List, Menu, Stack, Text } from "@mantine/core";
import { useState } from "react";

import { api } from "../api/client";
import { useLive, useLiveAll, useLivePages } from "../api/live";
import type { Alarm, Plan, Site, Trunk, TrunkPasswords, TrunkTemplate } from "../api/types";
import { readPlan, savePlan } from "../dialplan/savePart";
import { useDialPlan } from "../dialplan/useDialPlan";
import { Confirm } from "../shell/Confirm";
import { DataTable } from "../shell/DataTable";
import { Empty, Loaded } from "../shell/Page";
import { RowActions } from "../shell/RowActions";
import { State } from "../shell/State";
import { tellDone } from "../shell/notices";
import { RuleOrder } from "./RuleOrder";
import { TrunkForm } from "./TrunkForm";
import { placesOf, trunkState, usesOf, withoutTrunk } from "./trunk";

export function TrunksTab({ site }: { site: Site }) {
  const query = useDialPlan(site.id);
  return <Loaded query={query}>{(saved) => <Trunks site={site} plan={saved.document} />}</Loaded>;
}

function Trunks({ site, plan }: { site: Site; plan: Plan }) {
  const [edited, setEdited] = useState<{ trunk?: Trunk; template?: TrunkTemplate } | null>(null);
  const [deleted, setDeleted] = useState<Trunk | null>(null);
  const passwords = useLive<TrunkPasswords>(
    ["trunks", site.id],
    (init) => api.GET("/sites/{site_id}/trunks", { ...init, params: { path: { site_id: site.id } } }),
    { poll: false },
  );
  const alarms = useLivePages<Alarm>(["alarms", site.id, "open"], (init, cursor) =>
    api.GET("/alarms", { ...init, params: { query: { site_id: site.id, state: "open", limit: 50, cursor } } }),
  );
  const online = site.edges.some((edge) => edge.online);
  const trunks = plan.trunks ?? [];
  const has = (trunk: Trunk) => passwords.data?.items.find((one) => one.gateway_id === trunk.gateway_id)?.has_password ?? false;
  const newButton = <NewTrunk onChoose={(template) => setEdited({ template })} />;
  return (
    <Stack>
      <Group justify="space-between">
        <Text size="sm" c="dimmed" maw={720}>
          A trunk carries calls between the site and the public network, by a provider. Calls go by it as soon as a rule of the
          dial plan names it.
        </Text>
        {newButton}
      </Group>
      {trunks.length === 0 ? (
        <div className="card">
          <Empty title="No trunks yet">
            Begin with your provider’s template: what it publishes of its settings is filled in, and you add the account.
          </Empty>
        </div>
      ) : (
        <DataTable
          label="Trunks"
          rows={trunks}
          rowKey={(trunk) => trunk.gateway_id}
          columns={[
            {
              title: "Name",
              cell: (trunk) => (
                <div>
                  <Text size="sm" fw={550}>
                    {trunk.name}
                  </Text>
                  <Text size="xs" c="dimmed" className="mono wrap-anywhere">
                    {trunk.username ? `${trunk.username}@${trunk.domain ?? trunk.host}` : trunk.host}
                  </Text>
                </div>
              ),
            },
            { title: "State", cell: (trunk) => <State {...trunkState(trunk, alarms.items ?? [], online)} /> },
            { title: "Password", cell: (trunk) => <Password trunk={trunk} isSet={has(trunk)} /> },
            { title: "Calls at once", cell: (trunk) => trunk.max_calls || "no limit" },
            { title: "Tried by", cell: (trunk) => <Places plan={plan} trunk={trunk} /> },
            {
              title: "",
              align: "right",
              cell: (trunk) => (
                <RowActions name={trunk.name} onEdit={() => setEdited({ trunk })} onDelete={() => setDeleted(trunk)} />
              ),
            },
          ]}
        />
      )}
      <RuleOrder site={site} plan={plan} />
      {edited ? (
        <TrunkForm
          site={site}
          plan={plan}
          trunk={edited.trunk}
          template={edited.template}
          hasPassword={edited.trunk ? has(edited.trunk) : false}
          onClose={() => setEdited(null)}
        />
      ) : null}
      {deleted ? <DeleteTrunk site={site} plan={plan} trunk={deleted} onClose={() => setDeleted(null)} /> : null}
    </Stack>
  );
}

function Password({ trunk, isSet }: { trunk: Trunk; isSet: boolean }) {
  if (isSet) return "set";
  return trunk.register_seconds ? <State tone="waiting" label="missing" /> : "none";
}

function Places({ plan, trunk }: { plan: Plan; trunk: Trunk }) {
  const places = placesOf(plan, trunk.gateway_id);
  if (places.length === 0) return <State tone="waiting" label="no rule" />;
  return (
    <div>
      {places.map((line) => (
        <Text size="sm" key={line}>
          {line}
        </Text>
      ))}
    </div>
  );
}

function NewTrunk({ onChoose }: { onChoose: (template: TrunkTemplate) => void }) {
  const templates = useLiveAll<TrunkTemplate>(["trunk-templates"], (init) => api.GET("/trunk-templates", { ...init }), { poll: false });
  return (
    <Menu position="bottom-end">
      <Menu.Target>
        <Button>New trunk</Button>
      </Menu.Target>
      <Menu.Dropdown>
        {(templates.data ?? []).map((template) => (
          <Menu.Item key={template.key} onClick={() => onChoose(template)}>
            {template.provider}
            {template.countries.length > 0 ? ` (${template.countries.join(", ")})` : ""}
          </Menu.Item>
        ))}
      </Menu.Dropdown>
    </Menu>
  );
}

function DeleteTrunk({ site, plan, trunk, onClose }: { site: Site; plan: Plan; trunk: Trunk; onClose: () => void }) {
  const uses = usesOf(plan, trunk.gateway_id);
  return (
    <Confirm
      title={`Delete trunk ${trunk.name}?`}
      action="Delete trunk"
      run={async () => {
        const saved = await readPlan(site.id);
        await savePlan(site.id, withoutTrunk(saved.document, trunk.gateway_id), saved.version);
        tellDone(`Trunk ${trunk.name} was deleted`);
      }}
      onClose={onClose}
    >
      {uses.length === 0 ? (
        "No rule uses it. Calls that come by it are not taken any more."
      ) : (
        <Stack gap="xs">
          <Text size="sm">It is a way out of:</Text>
          <List size="sm">
            {uses.map((use) => (
              <List.Item key={use}>{use}</List.Item>
            ))}
          </List>
          <Text size="sm">They go by their other ways then, or nowhere where it was the only one.</Text>
        </Stack>
      )}
    </Confirm>
  );
}
