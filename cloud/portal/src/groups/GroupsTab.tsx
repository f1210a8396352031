/** Who answers for whom: pickup groups, and who is logged in at whose phone. */
import { Button, Group, MultiSelect, Stack, Text, TextInput } from "@mantine/core";
import { useState } from "react";

import { api, bodyOf } from "../api/client";
import { refresh, useLive } from "../api/live";
import type { HotDesks as Desks, PickupGroup, Plan, Site, User } from "../api/types";
import { freshId } from "../dialplan/plan";
import { listed } from "../dialplan/planPart";
import { savePart } from "../dialplan/savePart";
import { useDialPlan } from "../dialplan/useDialPlan";
import { usePart } from "../dialplan/usePart";
import { FormDrawer } from "../forms/FormDrawer";
import { Confirm } from "../shell/Confirm";
import { DataTable } from "../shell/DataTable";
import { Loaded } from "../shell/Page";
import { RowActions } from "../shell/RowActions";
import { Moment } from "../shell/When";
import { tellDone } from "../shell/notices";
import { Card } from "../sites/OverviewTab";
import { useUsers } from "../users/useUsers";

export function GroupsTab({ site }: { site: Site }) {
  const query = useDialPlan(site.id);
  const users = useUsers(site.id, { poll: false });
  return (
    <Stack>
      <Loaded query={query}>
        {(saved) => <PickupGroups site={site} plan={saved.document} users={users.data ?? []} />}
      </Loaded>
      <HotDesks site={site} />
    </Stack>
  );
}

function partOf(id: string) {
  return listed("pickup_groups", (one: PickupGroup) => one.group_id, id);
}

function PickupGroups({ site, plan, users }: { site: Site; plan: Plan; users: User[] }) {
  const [edited, setEdited] = useState<PickupGroup | "new" | null>(null);
  const [deleted, setDeleted] = useState<PickupGroup | null>(null);
  const groups = plan.pickup_groups ?? [];
  const nameOf = (id: string) => users.find((one) => one.id === id)?.display_name ?? id;
  const rule = (plan.rules ?? []).find((one) => one.kind === "feature" && one.feature === "group_pickup" && one.enabled);
  return (
    <Card
      title="Pickup groups"
      actions={
        <Button size="compact-sm" variant="default" onClick={() => setEdited("new")}>
          Add a pickup group
        </Button>
      }
    >
      <Stack gap="sm">
        <Text size="sm" c="dimmed">
          Members answer each other’s ringing phones
          {rule?.kind === "feature" ? ` by dialling ${rule.code}` : "; no rule of the dial plan has a code for it yet"}.
        </Text>
        {groups.length > 0 ? (
          <DataTable
            label="Pickup groups"
            rows={groups}
            rowKey={(group) => group.group_id}
            columns={[
              { title: "Name", cell: (group) => group.name },
              { title: "Members", cell: (group) => (group.members ?? []).map(nameOf).join(", ") || "nobody" },
              {
                title: "",
                align: "right",
                cell: (group) => (
                  <RowActions name={group.name} onEdit={() => setEdited(group)} onDelete={() => setDeleted(group)} />
                ),
              },
            ]}
          />
        ) : null}
      </Stack>
      {edited ? (
        <GroupForm
          site={site}
          plan={plan}
          users={users}
          group={edited === "new" ? undefined : edited}
          onClose={() => setEdited(null)}
        />
      ) : null}
      {deleted ? (
        <Confirm
          title={`Delete ${deleted.name}?`}
          action="Delete group"
          run={async () => {
            await savePart<PickupGroup>(site.id, partOf(deleted.group_id), deleted, undefined);
            tellDone(`${deleted.name} was deleted`);
          }}
          onClose={() => setDeleted(null)}
        >
          Its members do not answer each other’s phones any more.
        </Confirm>
      ) : null}
    </Card>
  );
}

interface FormProps {
  site: Site;
  plan: Plan;
  users: User[];
  /** undefined: a new one. */
  group?: PickupGroup;
  onClose: () => void;
}

function GroupForm({ site, plan, users, group, onClose }: FormProps) {
  const [initial] = useState<PickupGroup>(
    () => group ?? { group_id: freshId("pickup", (plan.pickup_groups ?? []).map((one) => one.group_id)), name: "", members: [] },
  );
  const draft = usePart<PickupGroup>({
    siteId: site.id,
    part: partOf(initial.group_id),
    initial,
    isNew: group === undefined,
    check: (values) => {
      const wrong = new Map<string, string>();
      if (!values.name.trim()) wrong.set("name", "The group needs a name");
      if (values.members.length < 2) wrong.set("members", "At least two, of whom one answers for the other");
      return wrong;
    },
    onSaved: (saved) => {
      tellDone(`${saved.name} was saved and is being published`);
      onClose();
    },
  });
  return (
    <FormDrawer
      title={group ? `Pickup group ${group.name}` : "New pickup group"}
      saveLabel={group ? "Save" : "Add group"}
      draft={draft}
      onClose={onClose}
    >
      <TextInput label="Name" data-autofocus {...draft.text("name")} />
      <MultiSelect
        label="Members"
        searchable
        data={users.map((one) => ({ value: one.id, label: one.display_name || one.username }))}
        {...draft.field("members")}
      />
    </FormDrawer>
  );
}

function HotDesks({ site }: { site: Site }) {
  const desks = useLive<Desks>(["hot-desks", site.id], (init) =>
    api.GET("/sites/{site_id}/hot-desks", { ...init, params: { path: { site_id: site.id } } }),
  );
  const [ended, setEnded] = useState<Desks["items"][number] | null>(null);
  return (
    <Card title="Hot desks">
      <Loaded query={desks}>
        {({ items }) =>
          items.length === 0 ? (
            <Text size="sm" c="dimmed">
              Nobody is logged in at another’s phone.
            </Text>
          ) : (
            <DataTable
              label="Hot desks"
              rows={items}
              rowKey={(one) => one.line_id}
              columns={[
                { title: "Who", cell: (one) => one.username },
                { title: "At the phone of", cell: (one) => one.host },
                {
                  title: "Until",
                  cell: (one) => (one.until ? <Moment at={one.until} zone={site.time_zone} /> : "logging out"),
                },
                {
                  title: "",
                  align: "right",
                  cell: (one) => (
                    <Group justify="flex-end">
                      <Button
                        size="compact-xs"
                        variant="default"
                        onClick={() => setEnded(one)}
                        aria-label={`Log ${one.username} out`}
                      >
                        Log out
                      </Button>
                    </Group>
                  ),
                },
              ]}
            />
          )
        }
      </Loaded>
      {ended ? (
        <Confirm
          title={`Log ${ended.username} out?`}
          action="Log out"
          run={async () => {
            const params = { path: { site_id: site.id, line_id: ended.line_id } };
            await bodyOf(api.DELETE("/sites/{site_id}/hot-desks/{line_id}", { params }));
            await refresh(["hot-desks", site.id]);
            tellDone(`${ended.username} was logged out`);
          }}
          onClose={() => setEnded(null)}
        >
          The phone belongs to {ended.host} again as soon as the edge has it.
        </Confirm>
      ) : null}
    </Card>
  );
}
