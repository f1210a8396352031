/** Call park, group and fax mailboxes, paging groups, announcements and authorization codes of a site. */
import { Alert, Button, Stack, Text } from "@mantine/core";
import { useState } from "react";

import type { Plan, Site } from "../api/types";
import { savePart } from "../dialplan/savePart";
import { useDialPlan } from "../dialplan/useDialPlan";
import { Confirm } from "../shell/Confirm";
import { DataTable } from "../shell/DataTable";
import { Loaded } from "../shell/Page";
import { RowActions } from "../shell/RowActions";
import { tellDone } from "../shell/notices";
import { Card } from "../sites/OverviewTab";
import { useUsers } from "../users/useUsers";
import { CodeDigits } from "./CodeDigits";
import { fresh, KINDS, ofKind, servicePart, summary, type KindText, type Service } from "./services";
import { ServiceForm } from "./ServiceForm";

export function ServicesTab({ site }: { site: Site }) {
  const query = useDialPlan(site.id);
  return (
    <Loaded query={query}>
      {(saved) => (
        <Stack>
          {saved.warnings
            .filter((one) => /\bfax(es)?\b/i.test(one))
            .map((one) => (
              <Alert key={one} color="yellow" role="status">
                {one}
              </Alert>
            ))}
          {KINDS.map((kind) => (
            <Section key={kind.kind} site={site} plan={saved.document} kind={kind} />
          ))}
          <CodeDigits site={site} />
        </Stack>
      )}
    </Loaded>
  );
}

function Section({ site, plan, kind }: { site: Site; plan: Plan; kind: KindText }) {
  const users = useUsers(site.id, { poll: false });
  const [edited, setEdited] = useState<{ service: Service; isNew: boolean } | null>(null);
  const [deleted, setDeleted] = useState<Service | null>(null);
  const services = ofKind(plan, kind.kind);
  const nameOf = (id: string) => users.data?.find((one) => one.id === id)?.display_name ?? id;
  return (
    <Card
      title={kind.title}
      actions={
        <Button
          size="compact-sm"
          variant="default"
          aria-label={`Add a ${kind.one}`}
          onClick={() => setEdited({ service: fresh(plan, kind.kind), isNew: true })}
        >
          Add
        </Button>
      }
    >
      {services.length === 0 ? (
        <Text size="sm" c="dimmed">
          {kind.none}
        </Text>
      ) : (
        <DataTable
          label={kind.title}
          rows={services}
          rowKey={(one) => one.service_id}
          columns={[
            { title: "Number", cell: (one) => <span className="mono">{one.extension}</span>, width: 110 },
            { title: "Name", cell: (one) => one.name },
            { title: "What", cell: (one) => summary(one, nameOf) },
            {
              title: "",
              align: "right",
              cell: (one) => (
                <RowActions
                  name={one.name}
                  onEdit={() => setEdited({ service: one, isNew: false })}
                  onDelete={() => setDeleted(one)}
                />
              ),
            },
          ]}
        />
      )}
      {edited ? (
        <ServiceForm
          site={site}
          service={edited.service}
          isNew={edited.isNew}
          people={(users.data ?? []).map((one) => ({ value: one.id, label: one.display_name || one.username }))}
          onClose={() => setEdited(null)}
        />
      ) : null}
      {deleted ? (
        <Confirm
          title={`Delete ${deleted.name}?`}
          action={`Delete ${kind.one}`}
          run={async () => {
            await savePart<Service>(site.id, servicePart(deleted.service_id), deleted, undefined);
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
