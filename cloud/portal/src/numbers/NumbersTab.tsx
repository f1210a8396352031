/** The numbers of a site that the public network calls, and what each reaches. */
import { Button, Group, Stack, Text, TextInput } from "@mantine/core";
import { useState } from "react";

import type { InwardNumber, Plan, Site, User } from "../api/types";
import { savePart } from "../dialplan/savePart";
import { useDialPlan } from "../dialplan/useDialPlan";
import { Confirm } from "../shell/Confirm";
import { DataTable } from "../shell/DataTable";
import { Empty, Loaded } from "../shell/Page";
import { RowActions } from "../shell/RowActions";
import { State } from "../shell/State";
import { SearchIcon } from "../shell/icons";
import { tellDone } from "../shell/notices";
import { useUsers } from "../users/useUsers";
import { NumberForm, numberPart } from "./NumberForm";
import { NumberPools } from "./NumberPools";
import { RangeForm } from "./RangeForm";
import { reaches } from "./numbers";

const SHOWN = 200;

export function NumbersTab({ site }: { site: Site }) {
  const query = useDialPlan(site.id);
  const users = useUsers(site.id, { poll: false });
  return (
    <Loaded query={query}>
      {(saved) => <Numbers site={site} plan={saved.document} users={users.data ?? []} known={users.data !== undefined} />}
    </Loaded>
  );
}

interface Props {
  site: Site;
  plan: Plan;
  users: User[];
  /** Whether the users are read already. */
  known: boolean;
}

function Numbers({ site, plan, users, known }: Props) {
  const [edited, setEdited] = useState<InwardNumber | "new" | "range" | null>(null);
  const [deleted, setDeleted] = useState<InwardNumber | null>(null);
  const [search, setSearch] = useState("");
  const numbers = plan.numbers ?? [];
  const fits = (one: InwardNumber) =>
    [one.number, one.name, one.destination, reaches(plan, users, one.destination)]
      .join("\n")
      .toLocaleLowerCase()
      .includes(search.trim().toLocaleLowerCase());
  const found = [...numbers].filter(fits).sort((one, other) => one.number.localeCompare(other.number));
  return (
    <Stack>
      <Group justify="space-between">
        <TextInput
          aria-label="Search numbers"
          placeholder="Search number or name"
          leftSection={<SearchIcon size={16} />}
          value={search}
          onChange={(event) => setSearch(event.currentTarget.value)}
          flex={1}
          maw={300}
          miw={160}
        />
        <Group gap="xs">
          <Button variant="default" onClick={() => setEdited("range")}>
            Add a range
          </Button>
          <Button onClick={() => setEdited("new")}>Add a number</Button>
        </Group>
      </Group>
      {numbers.length === 0 ? (
        <div className="card">
          <Empty title="No numbers yet">
            A number that the public network calls is given to a user, a group or a mailbox. Until then, calls go by what the
            trunk sends: a user’s extension or alias.
          </Empty>
        </div>
      ) : (
        <DataTable
          label="Numbers"
          rows={found.slice(0, SHOWN)}
          rowKey={(one) => one.number}
          columns={[
            { title: "Number", cell: (one) => <span className="mono">{one.number}</span> },
            { title: "Reaches", cell: (one) => <Reached plan={plan} users={users} known={known} number={one} /> },
            { title: "Name", cell: (one) => one.name || <Text c="dimmed">—</Text> },
            {
              title: "",
              align: "right",
              cell: (one) => <RowActions name={one.number} onEdit={() => setEdited(one)} onDelete={() => setDeleted(one)} />,
            },
          ]}
        />
      )}
      {found.length > SHOWN ? (
        <Text size="sm" c="dimmed">
          {SHOWN} of {found.length} are shown; search for the others.
        </Text>
      ) : null}
      <NumberPools site={site} plan={plan} users={users} />
      {edited === "range" ? <RangeForm site={site} plan={plan} users={users} onClose={() => setEdited(null)} /> : null}
      {edited && edited !== "range" ? (
        <NumberForm
          site={site}
          plan={plan}
          users={users}
          number={edited === "new" ? undefined : edited}
          onClose={() => setEdited(null)}
        />
      ) : null}
      {deleted ? (
        <Confirm
          title={`Delete ${deleted.number}?`}
          action="Delete number"
          run={async () => {
            await savePart<InwardNumber>(site.id, numberPart(deleted.number), deleted, undefined);
            tellDone(`Number ${deleted.number} was deleted`);
          }}
          onClose={() => setDeleted(null)}
        >
          Calls to it reach {reaches(plan, users, deleted.destination) ?? deleted.destination} no more.
        </Confirm>
      ) : null}
    </Stack>
  );
}

function Reached({ plan, users, known, number }: { plan: Plan; users: User[]; known: boolean; number: InwardNumber }) {
  const whom = reaches(plan, users, number.destination);
  if (whom === undefined && known) {
    return <State tone="bad" label="Nobody" detail={`Nothing at the site is dialled by ${number.destination}`} />;
  }
  return (
    <Group gap={6}>
      <Text size="sm">{whom}</Text>
      <Text size="sm" c="dimmed" className="mono">
        {number.destination}
      </Text>
    </Group>
  );
}
