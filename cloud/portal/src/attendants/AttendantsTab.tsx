/** Auto attendants of a site: in a table, and each in an editor of its own. */
import { Button, Stack, Text } from "@mantine/core";
import { useState } from "react";

import type { Attendant, Plan, Site } from "../api/types";
import { savePart } from "../dialplan/savePart";
import { useDialPlan } from "../dialplan/useDialPlan";
import { Confirm } from "../shell/Confirm";
import { DataTable } from "../shell/DataTable";
import { Loaded } from "../shell/Page";
import { RowActions } from "../shell/RowActions";
import { tellDone } from "../shell/notices";
import { Card } from "../sites/OverviewTab";
import { useUsers } from "../users/useUsers";
import { AttendantEditor, partOf } from "./AttendantEditor";

export function AttendantsTab({ site }: { site: Site }) {
  const query = useDialPlan(site.id);
  return <Loaded query={query}>{(saved) => <Attendants site={site} plan={saved.document} />}</Loaded>;
}

function Attendants({ site, plan }: { site: Site; plan: Plan }) {
  const users = useUsers(site.id, { poll: false });
  const [edited, setEdited] = useState<Attendant | "new" | null>(null);
  const [deleted, setDeleted] = useState<Attendant | null>(null);
  const attendants = (plan.voice_services ?? []).filter((one): one is Attendant => one.kind === "attendant");
  if (edited) {
    return (
      <AttendantEditor
        site={site}
        plan={plan}
        users={users.data ?? []}
        attendant={edited === "new" ? undefined : edited}
        onClose={() => setEdited(null)}
      />
    );
  }
  return (
    <Card
      title="Auto attendants"
      actions={
        <Button size="compact-sm" variant="default" onClick={() => setEdited("new")}>
          Add an attendant
        </Button>
      }
    >
      <Stack gap="sm">
        {attendants.length === 0 ? (
          <Text size="sm" c="dimmed">
            None yet. An attendant has an extension, greets callers, and leads them by the keys of their phones.
          </Text>
        ) : (
          <DataTable
            label="Auto attendants"
            rows={attendants}
            rowKey={(one) => one.service_id}
            columns={[
              { title: "Extension", cell: (one) => <span className="mono">{one.extension}</span>, width: 110 },
              { title: "Name", cell: (one) => one.name },
              { title: "Menus", cell: (one) => one.menus.length },
              { title: "State", cell: (one) => (!one.enabled ? "off" : one.special_mode ? "special mode" : "on") },
              {
                title: "",
                align: "right",
                cell: (one) => <RowActions name={one.name} onEdit={() => setEdited(one)} onDelete={() => setDeleted(one)} />,
              },
            ]}
          />
        )}
      </Stack>
      {deleted ? (
        <Confirm
          title={`Delete ${deleted.name}?`}
          action="Delete attendant"
          run={async () => {
            await savePart<Attendant>(site.id, partOf(deleted.service_id), deleted, undefined);
            tellDone(`${deleted.name} was deleted`);
          }}
          onClose={() => setDeleted(null)}
        >
          Nobody answers {deleted.extension} any more.
        </Confirm>
      ) : null}
    </Card>
  );
}
