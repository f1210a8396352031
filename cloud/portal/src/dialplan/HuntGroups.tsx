/** Users who answer for each other: groups of the plan, in a table, and the panel in which one is edited. */
import { Button, Group, MultiSelect, NumberInput, Select, Stack, Switch, Text, TextInput } from "@mantine/core";
import { useState } from "react";

import type { HuntGroup, Plan, Site } from "../api/types";
import { DataTable } from "../shell/DataTable";
import { RowActions } from "../shell/RowActions";
import { Card } from "../sites/OverviewTab";
import { MusicInput } from "../sounds/MusicInput";
import { useUsers } from "../users/useUsers";
import { PlanPanel } from "./PlanPanel";
import { STRATEGIES, freshId } from "./plan";

interface Props {
  site: Site;
  plan: Plan;
  onChange: (groups: HuntGroup[]) => void;
}

export function HuntGroups({ site, plan, onChange }: Props) {
  const users = useUsers(site.id, { poll: false });
  const [edited, setEdited] = useState<HuntGroup | null>(null);
  const groups = plan.hunt_groups ?? [];
  const nameOf = (id: string) => users.data?.find((one) => one.id === id)?.display_name ?? id;
  const begin = () =>
    setEdited({
      group_id: freshId("group", groups.map((one) => one.group_id)),
      name: "",
      extension: "",
      aliases: [],
      enabled: true,
      strategy: "parallel",
      members: [],
      ring_seconds: 30,
      follow_forwarding: false,
      fallback: null,
    });
  return (
    <Card title="Hunt groups">
      <Stack gap="sm">
        {groups.length === 0 ? (
          <Text size="sm" c="dimmed">
            None yet. A group has an extension of its own, and rings its members.
          </Text>
        ) : (
          <DataTable
            label="Hunt groups"
            rows={groups}
            rowKey={(group) => group.group_id}
            columns={[
              { title: "Extension", cell: (group) => <span className="mono">{group.extension}</span>, width: 110 },
              { title: "Name", cell: (group) => group.name },
              { title: "Rings", cell: (group) => STRATEGIES.find((one) => one.value === group.strategy)?.label ?? group.strategy },
              { title: "Members", cell: (group) => (group.members ?? []).map(nameOf).join(", ") || "nobody" },
              { title: "Then", cell: (group) => group.fallback ?? "busy tone" },
              {
                title: "",
                cell: (group) => (
                  <RowActions
                    name={group.name}
                    onEdit={() => setEdited(group)}
                    onDelete={() => onChange(groups.filter((one) => one.group_id !== group.group_id))}
                    deleteLabel="Remove"
                  />
                ),
              },
            ]}
          />
        )}
        <Group>
          <Button variant="default" size="compact-sm" onClick={begin}>
            Add a hunt group
          </Button>
        </Group>
      </Stack>
      {edited ? (
        <GroupPanel
          group={edited}
          tenantId={site.tenant_id}
          isNew={!groups.some((one) => one.group_id === edited.group_id)}
          people={(users.data ?? []).map((one) => ({ value: one.id, label: one.display_name }))}
          onClose={() => setEdited(null)}
          onDone={(group) => {
            const others = groups.filter((one) => one.group_id !== group.group_id);
            onChange([...others, group]);
            setEdited(null);
          }}
        />
      ) : null}
    </Card>
  );
}

interface PanelProps {
  group: HuntGroup;
  tenantId: string;
  isNew: boolean;
  people: { value: string; label: string }[];
  onClose: () => void;
  onDone: (group: HuntGroup) => void;
}

function GroupPanel({ group, tenantId, isNew, people, onClose, onDone }: PanelProps) {
  const [draft, setDraft] = useState(group);
  const set = (changes: Partial<HuntGroup>) => setDraft((before) => ({ ...before, ...changes }));
  const title = isNew ? "New hunt group" : `Hunt group ${group.name}`;
  const check = () => {
    if (!draft.name.trim()) return "The group needs a name.";
    if (!/^[0-9]{1,15}$/.test(draft.extension)) return "The extension is 1 to 15 digits.";
    return null;
  };
  return (
    <PlanPanel
      title={title}
      action={isNew ? "Add group" : "Take over"}
      check={check}
      onClose={onClose}
      onDone={() => onDone(draft)}
    >
      <TextInput label="Name" value={draft.name} onChange={(event) => set({ name: event.currentTarget.value })} />
      <TextInput label="Extension" value={draft.extension} onChange={(event) => set({ extension: event.currentTarget.value })} />
      <MultiSelect
        label="Members"
        description="In the order in which they are rung"
        data={people}
        searchable
        value={draft.members ?? []}
        onChange={(members) => set({ members })}
      />
      <Select
        label="How it rings"
        data={STRATEGIES}
        allowDeselect={false}
        value={draft.strategy ?? "parallel"}
        onChange={(strategy) => set({ strategy: (strategy ?? "parallel") as HuntGroup["strategy"] })}
      />
      <NumberInput
        label="Seconds"
        description="All together, or each member"
        min={1}
        max={600}
        allowDecimal={false}
        value={draft.ring_seconds ?? 30}
        onChange={(seconds) => set({ ring_seconds: Number(seconds) || 30 })}
      />
      <Switch
        label="Follow members’ forwarding"
        checked={draft.follow_forwarding ?? false}
        onChange={(event) => set({ follow_forwarding: event.currentTarget.checked })}
      />
      <TextInput
        label="When nobody answers"
        description="An extension or a number; empty: the caller hears that nobody is there"
        value={draft.fallback ?? ""}
        onChange={(event) => set({ fallback: event.currentTarget.value.trim() || null })}
      />
      <MusicInput
        tenantId={tenantId}
        otherwise="for those whom its members hold or park, that of the member, or of the site"
        value={draft.music ?? null}
        onChange={(music) => set({ music })}
      />
    </PlanPanel>
  );
}
