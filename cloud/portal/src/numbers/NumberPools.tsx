/** The numbers that the tenant has from its providers: how many of each pool are free, and the next of them. */
import { Button, Group, NumberInput, Progress, Stack, Text, TextInput, Title } from "@mantine/core";
import { useState } from "react";

import { api, bodyOf, ifMatch } from "../api/client";
import { refresh, useLiveAll } from "../api/live";
import type { NumberPool, Plan, Site, User } from "../api/types";
import { FormDrawer } from "../forms/FormDrawer";
import { useDraft } from "../forms/useDraft";
import { Confirm } from "../shell/Confirm";
import { Loaded } from "../shell/Page";
import { RowActions } from "../shell/RowActions";
import { tellDone } from "../shell/notices";
import { DestinationInput } from "./DestinationInput";
import { destinationsOf } from "./destinations";

const POOLS = ["number-pools"] as const;

interface Props {
  site: Site;
  plan: Plan;
  users: User[];
}

export function NumberPools({ site, plan, users }: Props) {
  const pools = useLiveAll<NumberPool>([...POOLS, site.tenant_id], (init, cursor) =>
    api.GET("/number-pools", { ...init, params: { query: { tenant_id: site.tenant_id, limit: 200, cursor } } }),
  );
  const [edited, setEdited] = useState<NumberPool | "new" | null>(null);
  const [assigned, setAssigned] = useState<NumberPool | null>(null);
  const [deleted, setDeleted] = useState<NumberPool | null>(null);
  return (
    <section className="card" aria-label="Number pools">
      <Stack p="md" gap="sm">
        <Group justify="space-between">
          <Title order={3} size="h5">
            Number pools
          </Title>
          <Button variant="default" size="xs" onClick={() => setEdited("new")}>
            Add a pool
          </Button>
        </Group>
        <Loaded query={pools}>
          {(found) =>
            found.length === 0 ? (
              <Text size="sm" c="dimmed">
                A pool is a range of numbers that a provider has given to the tenant. Sites take the next free one from it.
              </Text>
            ) : (
              <Stack gap="sm">
                {found.map((pool) => (
                  <Pool
                    key={pool.id}
                    pool={pool}
                    onAssign={() => setAssigned(pool)}
                    onEdit={() => setEdited(pool)}
                    onDelete={() => setDeleted(pool)}
                  />
                ))}
              </Stack>
            )
          }
        </Loaded>
      </Stack>
      {edited === "new" ? <NewPool site={site} onClose={() => setEdited(null)} /> : null}
      {edited && edited !== "new" ? <RenamePool pool={edited} onClose={() => setEdited(null)} /> : null}
      {assigned ? (
        <Assignment site={site} plan={plan} users={users} pool={assigned} onClose={() => setAssigned(null)} />
      ) : null}
      {deleted ? (
        <Confirm
          title={`Delete the pool ${deleted.name}?`}
          action="Delete pool"
          run={async () => {
            const params = { path: { pool_id: deleted.id }, header: ifMatch(deleted.version) };
            await bodyOf(api.DELETE("/number-pools/{pool_id}", { params }));
            await refresh([...POOLS]);
            tellDone(`The pool ${deleted.name} was deleted`);
          }}
          onClose={() => setDeleted(null)}
        >
          What its numbers reach stays as it is.
        </Confirm>
      ) : null}
    </section>
  );
}

interface PoolProps {
  pool: NumberPool;
  onAssign: () => void;
  onEdit: () => void;
  onDelete: () => void;
}

function Pool({ pool, onAssign, onEdit, onDelete }: PoolProps) {
  const free = pool.count - pool.used;
  return (
    <Group justify="space-between" gap="sm" role="group" aria-label={pool.name}>
      <Stack gap={4} flex={1} miw={200}>
        <Group gap="xs">
          <Text fw={600} size="sm">
            {pool.name}
          </Text>
          <Text size="sm" c="dimmed" className="mono">
            {pool.count === 1 ? pool.first : `${pool.first} to ${pool.last}`}
          </Text>
        </Group>
        <Progress
          value={(100 * pool.used) / pool.count}
          color={free === 0 ? "red" : undefined}
          aria-label={`${pool.used} of ${pool.count} numbers are used`}
        />
        <Text size="xs" c="dimmed">
          {free === 0 ? "Every number is used" : `${free} of ${pool.count} are free`}
        </Text>
      </Stack>
      <Group gap={2} wrap="nowrap">
        <Button size="xs" variant="light" disabled={free === 0} onClick={onAssign}>
          Give a number
        </Button>
        <RowActions name={pool.name} onEdit={onEdit} onDelete={onDelete} />
      </Group>
    </Group>
  );
}

function NewPool({ site, onClose }: { site: Site; onClose: () => void }) {
  const country = site.sip.country ?? null;
  const draft = useDraft({
    initial: { name: "", first: "", count: 10 },
    save: async (values) => {
      const pool = await bodyOf(api.POST("/number-pools", { body: { ...values, tenant_id: site.tenant_id, country } }));
      await refresh([...POOLS]);
      tellDone(`The pool ${pool.name} was made`);
      onClose();
    },
  });
  return (
    <FormDrawer title="New number pool" saveLabel="Add pool" draft={draft} onClose={onClose}>
      <TextInput label="Name" description="Such as the provider and the place" data-autofocus {...draft.text("name")} />
      <TextInput
        label="First number"
        description={country ? `As people of ${country} write it, or with its plus` : "With its plus and country code"}
        placeholder="+41445556600"
        inputMode="tel"
        {...draft.text("first")}
      />
      <NumberInput
        label="How many numbers"
        min={1}
        max={10_000}
        allowDecimal={false}
        value={draft.values.count}
        error={draft.problemAt("count")}
        onChange={(value) => draft.set({ count: Number(value) || 1 })}
      />
    </FormDrawer>
  );
}

function RenamePool({ pool, onClose }: { pool: NumberPool; onClose: () => void }) {
  const draft = useDraft({
    initial: { name: pool.name },
    version: pool.version,
    save: async (values, _changes, version) => {
      const params = { path: { pool_id: pool.id }, header: ifMatch(version) };
      await bodyOf(api.PATCH("/number-pools/{pool_id}", { params, body: values }));
      await refresh([...POOLS]);
      tellDone(`The pool is called ${values.name} now`);
      onClose();
    },
  });
  return (
    <FormDrawer title={`Number pool ${pool.name}`} saveLabel="Save" draft={draft} onClose={onClose}>
      <TextInput label="Name" data-autofocus {...draft.text("name")} />
    </FormDrawer>
  );
}

function Assignment({ site, plan, users, pool, onClose }: Props & { pool: NumberPool; onClose: () => void }) {
  const draft = useDraft({
    initial: { destination: "", name: "" },
    save: async (values) => {
      const params = { path: { pool_id: pool.id } };
      const taken = await bodyOf(
        api.POST("/number-pools/{pool_id}/assignments", { params, body: { ...values, site_id: site.id } }),
      );
      await refresh([...POOLS], ["dial-plan", site.id]);
      tellDone(`${taken.shown} reaches ${values.destination} and is being published`);
      onClose();
    },
  });
  return (
    <FormDrawer title={`A number of ${pool.name}`} saveLabel="Give the next free number" draft={draft} onClose={onClose}>
      <DestinationInput
        label="Reaches"
        description="A user, a group or a mailbox, by what is dialled for it"
        value={draft.values.destination}
        error={draft.problemAt("destination")}
        destinations={destinationsOf(plan, users)}
        onChange={(destination) => draft.set({ destination })}
      />
      <TextInput label="Name" description="For people, such as “Fax of the shop”" {...draft.text("name")} />
    </FormDrawer>
  );
}
