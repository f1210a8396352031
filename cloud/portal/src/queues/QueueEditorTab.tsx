/** A site's call queues as the dial plan has them. */
import { Button, Text } from "@mantine/core";
import { useState } from "react";

import type { Plan, Site } from "../api/types";
import { savePart } from "../dialplan/savePart";
import { useDialPlan } from "../dialplan/useDialPlan";
import { Confirm } from "../shell/Confirm";
import { DataTable } from "../shell/DataTable";
import { Empty, Loaded } from "../shell/Page";
import { RowActions } from "../shell/RowActions";
import { State } from "../shell/State";
import { tellDone } from "../shell/notices";
import { Card } from "../sites/OverviewTab";
import { useUsers } from "../users/useUsers";
import { QueueEditorForm } from "./QueueEditorForm";
import { freshQueue, overflowText, queuePart, queuesOf, STRATEGIES, type CallQueue } from "./queueEditor";

export function QueueEditorTab({ site }: { site: Site }) {
  const query = useDialPlan(site.id);
  return <Loaded query={query}>{(saved) => <Queues site={site} plan={saved.document} />}</Loaded>;
}

function Queues({ site, plan }: { site: Site; plan: Plan }) {
  const users = useUsers(site.id, { poll: false });
  const [edited, setEdited] = useState<{ queue: CallQueue; isNew: boolean } | null>(null);
  const [deleted, setDeleted] = useState<CallQueue | null>(null);
  const queues = queuesOf(plan);
  const people = (users.data ?? []).map((one) => ({ value: one.id, label: one.display_name || one.username }));
  const nameOf = (id: string) => people.find((one) => one.value === id)?.label ?? id;
  return (
    <Card
      title="Call queues"
      actions={
        <Button size="compact-sm" variant="default" onClick={() => setEdited({ queue: freshQueue(plan), isNew: true })}>
          Add a call queue
        </Button>
      }
    >
      {queues.length === 0 ? (
        <Empty title="No call queues yet">
          Callers of a queue wait with music until one of its agents is free, also while the cloud is away.
        </Empty>
      ) : (
        <DataTable
          label="Call queues"
          rows={queues}
          rowKey={(queue) => queue.service_id}
          columns={[
            { title: "Number", cell: (queue) => <span className="mono">{queue.extension}</span> },
            { title: "Name", cell: (queue) => (queue.enabled ? queue.name : <State tone="idle" label={`${queue.name}, off`} />) },
            {
              title: "Whose phones ring",
              cell: (queue) => <Text size="sm">{STRATEGIES.find((one) => one.value === queue.strategy)?.label}</Text>,
            },
            { title: "Agents", cell: (queue) => queue.agents.map((one) => nameOf(one.user_id)).join(", ") || "nobody" },
            { title: "Longest wait", cell: (queue) => <Text size="sm">{overflowText(queue)}</Text> },
            {
              title: "",
              align: "right",
              cell: (queue) => (
                <RowActions
                  name={queue.name}
                  onEdit={() => setEdited({ queue, isNew: false })}
                  onDelete={() => setDeleted(queue)}
                />
              ),
            },
          ]}
        />
      )}
      {edited ? (
        <QueueEditorForm site={site} queue={edited.queue} isNew={edited.isNew} people={people} onClose={() => setEdited(null)} />
      ) : null}
      {deleted ? (
        <Confirm
          title={`Delete ${deleted.name}?`}
          action="Delete call queue"
          run={async () => {
            await savePart<CallQueue>(site.id, queuePart(deleted.service_id), deleted, undefined);
            tellDone(`${deleted.name} was deleted`);
          }}
          onClose={() => setDeleted(null)}
        >
          Its number leads nowhere any more.
        </Confirm>
      ) : null}
    </Card>
  );
}
