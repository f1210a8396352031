/** Calls for help at a site: whether they lead out, where help comes to, who is told, and which there were. */
import { Alert, Badge, Button, Group, List, Stack, Text } from "@mantine/core";
import { useState } from "react";

import { api } from "../api/client";
import { useLivePages } from "../api/live";
import type { Alarm, EmergencyCall, EmergencyLocation, Plan, Site } from "../api/types";
import { useDevices } from "../devices/useDevices";
import { readPlan, savePart, savePlan } from "../dialplan/savePart";
import { useDialPlan } from "../dialplan/useDialPlan";
import { Confirm } from "../shell/Confirm";
import { DataTable } from "../shell/DataTable";
import { Empty, Loaded } from "../shell/Page";
import { RowActions } from "../shell/RowActions";
import { Ago, Moment } from "../shell/When";
import { tellDone, tellProblem } from "../shell/notices";
import { Card } from "../sites/OverviewTab";
import { useUsers } from "../users/useUsers";
import { LocationForm, locationPart } from "./LocationForm";
import { PolicyForm } from "./PolicyForm";
import { addressText, phonesAt, selfCheck } from "./emergency";

export function EmergencyTab({ site }: { site: Site }) {
  const query = useDialPlan(site.id);
  return (
    <Stack>
      <SelfCheckBanner site={site} />
      <Loaded query={query}>
        {(saved) => (
          <>
            <Locations site={site} plan={saved.document} />
            <Policy site={site} plan={saved.document} />
          </>
        )}
      </Loaded>
      <CallsForHelp site={site} />
    </Stack>
  );
}

function SelfCheckBanner({ site }: { site: Site }) {
  const alarms = useLivePages<Alarm>(["alarms", site.id, "open"], (init, cursor) =>
    api.GET("/alarms", { ...init, params: { query: { site_id: site.id, state: "open", limit: 50, cursor } } }),
  );
  if (!alarms.items) return null;
  const check = selfCheck(alarms.items, site.edges.some((edge) => edge.online));
  if (check.state === "good") {
    return (
      <Alert color="green" title="Every number for help leads out" role="status">
        The edge looks every day, asks the gateways, and raises an alarm when one does not.
      </Alert>
    );
  }
  if (check.state === "unknown") {
    return (
      <Alert color="gray" title="It is not known whether numbers for help lead out" role="status">
        The edge looks every day, and is not connected now. What it found last raised no alarm.
      </Alert>
    );
  }
  return (
    <Alert color="red" title="Calls for help do not lead out" role="alert">
      <List size="sm">
        {check.lines.map((line) => (
          <List.Item key={line}>{line}</List.Item>
        ))}
      </List>
      {check.since ? (
        <Text size="sm" mt={4}>
          Found <Ago at={check.since} />.
        </Text>
      ) : null}
    </Alert>
  );
}

function Locations({ site, plan }: { site: Site; plan: Plan }) {
  const devices = useDevices(site.id);
  const [edited, setEdited] = useState<EmergencyLocation | "new" | null>(null);
  const [deleted, setDeleted] = useState<EmergencyLocation | null>(null);
  const locations = plan.locations ?? [];
  const setDefault = async (id: string | null) => {
    try {
      const saved = await readPlan(site.id);
      await savePlan(site.id, { ...saved.document, default_location_id: id }, saved.version);
      tellDone("The default place was saved and is being published");
    } catch (error) {
      tellProblem(error);
    }
  };
  const isDefault = (one: EmergencyLocation) => plan.default_location_id === one.location_id;
  const phones = deleted ? phonesAt(devices.data ?? [], deleted.location_id) : [];
  return (
    <Card
      title="Places"
      actions={
        <Button size="compact-sm" variant="default" onClick={() => setEdited("new")}>
          Add a place
        </Button>
      }
    >
      {locations.length === 0 ? (
        <Empty title="No places yet">
          A place has an address that help can be sent to, and a number that stands for it. Phones are put there one by one;
          all others are at the default place.
        </Empty>
      ) : (
        <DataTable
          label="Places"
          rows={locations}
          rowKey={(one) => one.location_id}
          columns={[
            {
              title: "Place",
              cell: (one) => (
                <Group gap="xs">
                  <Text size="sm" fw={550}>
                    {one.name}
                  </Text>
                  {isDefault(one) ? <Badge color="petrol">Default</Badge> : null}
                </Group>
              ),
            },
            { title: "Number (ELIN)", cell: (one) => <span className="mono">{one.caller_id}</span> },
            { title: "Address", cell: (one) => addressText(one) || <Text c="red">missing</Text> },
            { title: "Phones", cell: (one) => <Phones names={phonesAt(devices.data ?? [], one.location_id)} others={isDefault(one)} /> },
            {
              title: "",
              align: "right",
              cell: (one) => (
                <Group gap="xs" wrap="nowrap" justify="flex-end">
                  {isDefault(one) ? null : (
                    <Button
                      size="compact-xs"
                      variant="default"
                      onClick={() => void setDefault(one.location_id)}
                      aria-label={`Make ${one.name} the default`}
                    >
                      Make default
                    </Button>
                  )}
                  <RowActions name={one.name} onEdit={() => setEdited(one)} onDelete={() => setDeleted(one)} />
                </Group>
              ),
            },
          ]}
        />
      )}
      {locations.length > 0 && !plan.default_location_id ? (
        <Alert color="yellow" mt="sm">
          There is no default place: phones that were put nowhere call for help without an address.
        </Alert>
      ) : null}
      {edited ? (
        <LocationForm
          site={site}
          plan={plan}
          location={edited === "new" ? undefined : edited}
          onClose={() => setEdited(null)}
        />
      ) : null}
      {deleted ? (
        <Confirm
          title={`Delete ${deleted.name}?`}
          action="Delete place"
          run={async () => {
            if (phones.length > 0) throw new Error(`Phones are there: ${phones.join(", ")}. Put them elsewhere first.`);
            if (isDefault(deleted)) throw new Error("It is the default place. Make another one the default first.");
            await savePart<EmergencyLocation>(site.id, locationPart(deleted.location_id), deleted, undefined);
            tellDone(`${deleted.name} was deleted`);
          }}
          onClose={() => setDeleted(null)}
        >
          Its number stands for no place any more, and calls nobody back.
        </Confirm>
      ) : null}
    </Card>
  );
}

const NAMED = 3;

function Phones({ names, others }: { names: string[]; others: boolean }) {
  const shown = names.length > NAMED ? [`${names.length} phones`] : names;
  const words = [...shown, ...(others ? [names.length ? "and all others" : "all that are put nowhere"] : [])];
  return <Text size="sm">{words.join(", ") || "none"}</Text>;
}

function Policy({ site, plan }: { site: Site; plan: Plan }) {
  const users = useUsers(site.id, { poll: false });
  const [editing, setEditing] = useState(false);
  const policy = plan.emergency;
  if (!policy) return null;
  const nameOf = (id: string) => users.data?.find((one) => one.id === id)?.display_name ?? id;
  const told = [...policy.notified_users.map((id) => `phones of ${nameOf(id)}`), ...policy.mail_to];
  return (
    <Card
      title="When somebody calls for help"
      actions={
        <Button size="compact-sm" variant="default" onClick={() => setEditing(true)}>
          Edit who is told
        </Button>
      }
    >
      <Text size="sm">
        {told.length > 0 ? `At once told: ${told.join(", ")}.` : "Nobody is told besides those who watch events and webhooks."}
      </Text>
      <Text size="sm" c="dimmed">
        {policy.callback_minutes
          ? `For ${policy.callback_minutes} minutes a call to the number of the place rings the phone that called.`
          : "A call to the number of the place does not ring the phone that called."}
      </Text>
      {editing ? <PolicyForm site={site} policy={policy} users={users.data ?? []} onClose={() => setEditing(false)} /> : null}
    </Card>
  );
}

function CallsForHelp({ site }: { site: Site }) {
  const calls = useLivePages<EmergencyCall>(["emergencies", site.id], (init, cursor) =>
    api.GET("/emergencies", { ...init, params: { query: { site_id: site.id, limit: 20, cursor } } }),
  );
  return (
    <Card title="Calls for help">
      <Loaded query={{ data: calls.items, error: calls.error, refetch: calls.refetch }}>
        {(items) =>
          items.length === 0 ? (
            <Text size="sm" c="dimmed">
              There were none.
            </Text>
          ) : (
            <DataTable
              label="Calls for help"
              rows={items}
              rowKey={(one) => one.id}
              columns={[
                { title: "When", cell: (one) => <Moment at={one.at} zone={site.time_zone} /> },
                { title: "Number", cell: (one) => <span className="mono">{one.number}</span> },
                { title: "Caller", cell: (one) => one.caller || one.source },
                { title: "Place", cell: (one) => one.location_name || <Text c="red">not known</Text> },
                { title: "Address", cell: (one) => one.address },
              ]}
            />
          )
        }
      </Loaded>
    </Card>
  );
}
