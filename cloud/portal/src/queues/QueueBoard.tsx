/** How call queues stand now: who waits, what agents do, the day so far; and what supervisors do about it. */
import { Alert, Group, Stack, Text, Title } from "@mantine/core";
import { useElementSize } from "@mantine/hooks";
import type { ReactNode } from "react";

import type { LiveQueue, LiveQueueAgent, LiveQueueCaller, QueueTotals } from "../api/types";
import { Party } from "../calls/Party";
import { DataTable, type Column } from "../shell/DataTable";
import { Empty, Loaded } from "../shell/Page";
import { State } from "../shell/State";
import { durationText } from "../shell/times";
import { maySet, ringable, type Presence, type Rights } from "./agentOrders";
import { AttendButtons } from "./AttendButtons";
import { FiguresAge } from "./FiguresAge";
import { PresenceMenu } from "./PresenceMenu";
import { FigureRow, figuresOf } from "./QueueFigures";
import { levelText } from "./queuesNow";
import { stoppedBy, useBoard, type Board } from "./useQueuesNow";
import "./queues.css";

const STANDS: Record<Presence, string> = { in: "is available", paused: "pauses", out: "is logged out" };

interface Props {
  siteId: string;
  /** Whose midnight begins the day. */
  zone: string;
  rights: Rights;
  /** Whether whoever looks may see what became of callers. */
  hasHistory: boolean;
  /** Such as the way to the full screen. */
  actions?: ReactNode;
}

export function QueueBoard({ siteId, zone, rights, hasHistory, actions }: Props) {
  const { board, live, totals } = useBoard(siteId, zone, hasHistory, rights);
  if (board === undefined && live.error && stoppedBy(live.error).offline) return <WithoutEdge totals={totals.data} />;
  return (
    <Loaded query={{ data: board, error: board ? null : live.error, refetch: live.refetch }}>
      {(shown) => (
        <Stack>
          <Group justify="space-between" align="flex-start">
            <FiguresAge board={shown} zone={zone} />
            {actions}
          </Group>
          {shown.queues.length === 0 ? (
            <div className="card">
              <Empty title="No call queues at work">
                A queue is here once it is switched on and its edge has it; queues are made under “Call queues”.
              </Empty>
            </div>
          ) : (
            <>
              {shown.queues.length > 1 ? <FigureRow label="All queues" figures={figuresOf(shown, shown.queues)} /> : null}
              {shown.queues.map((queue) => (
                <OneQueue key={queue.queue_id} siteId={siteId} queue={queue} board={shown} rights={rights} />
              ))}
              <Text size="xs" c="dimmed">
                {shown.wholeDay
                  ? `What became of callers is of today, by the clock of ${zone}.`
                  : "What became of callers is counted from midnight in UTC, or since the edge was started."}
              </Text>
            </>
          )}
        </Stack>
      )}
    </Loaded>
  );
}

/** The edge was not connected when somebody began to look: what the cloud knows by itself. */
function WithoutEdge({ totals }: { totals: QueueTotals | undefined }) {
  return (
    <Stack>
      <Alert color="yellow" role="status" title="The edge is not connected">
        Queues go on at the site; who waits and who is free cannot be seen from here. It is asked again and again.
      </Alert>
      {totals?.items.map((one) => (
        <section key={one.key} aria-label={`Queue ${one.name}`}>
          <Title order={2} mb="xs">
            {one.name}
          </Title>
          <FigureRow
            label={`${one.name}, as far as it is known`}
            figures={[
              { name: "Answered today", value: one.answered },
              { name: "Abandoned", value: one.abandoned },
              { name: "Sent on", value: one.overflowed },
              { name: "Service level", value: levelText(one.service_level) },
            ]}
          />
        </section>
      ))}
    </Stack>
  );
}

interface OneProps {
  siteId: string;
  queue: LiveQueue;
  board: Board;
  rights: Rights;
}

function OneQueue({ siteId, queue, board, rights }: OneProps) {
  const { ref, width } = useElementSize();
  const callers = queue.callers ?? [];
  const callerColumns: Column<LiveQueueCaller>[] = [
    { title: "Place", cell: (caller) => callers.indexOf(caller) + 1, width: 60 },
    { title: "Caller", cell: (caller) => <Party number={caller.number} name={caller.name || undefined} /> },
    { title: "Waits", cell: (caller) => <span className="figures">{durationText(board.waited(caller.came_at))}</span> },
    { title: "State", cell: (caller) => <CallerState caller={caller} /> },
  ];
  return (
    <section className="queue-now" aria-label={`Queue ${queue.name}`} ref={ref}>
      <Group gap="sm" mb="xs">
        <Title order={2}>{queue.name}</Title>
        <span className="mono">{queue.extension}</span>
        {queue.expected_wait_seconds == null ? null : (
          <Text size="sm" c="dimmed">
            whoever calls now waits about {durationText(queue.expected_wait_seconds)}
          </Text>
        )}
      </Group>
      <FigureRow label={`Figures of ${queue.name}`} figures={figuresOf(board, [queue])} />
      <div className={width > 900 ? "queue-halves" : undefined}>
        <div>
          {callers.length === 0 ? (
            <Text size="sm" c="dimmed" py="xs">
              Nobody waits.
            </Text>
          ) : (
            <DataTable
              label={`Who waits at ${queue.name}`}
              rows={callers}
              rowKey={(caller) => caller.call_id}
              columns={callerColumns}
            />
          )}
        </div>
        <Agents siteId={siteId} queue={queue} board={board} rights={rights} />
      </div>
    </section>
  );
}

export function CallerState({ caller }: { caller: LiveQueueCaller }) {
  if (caller.ringing) return <State tone="good" label="Phones ring" />;
  if (caller.wants_call_back) return <State tone="idle" label="To be called back" />;
  return <State tone="waiting" label="Waits" />;
}

function Agents({ siteId, queue, board, rights }: OneProps) {
  const supervisors = board.supervisors(queue.queue_id);
  const nameOf = (id: string) => board.people.get(id)?.name ?? "Somebody who is gone";
  const ringing = ringable(rights, supervisors).map((id) => ({ value: id, label: nameOf(id) }));
  const agents = queue.agents ?? [];
  const columns: Column<LiveQueueAgent>[] = [
    { title: "Agent", cell: (agent) => <Party number={nameOf(agent.user_id)} name={board.people.get(agent.user_id)?.extension ?? undefined} /> },
    {
      title: "State",
      cell: (agent) => {
        const { tone, label, detail } = board.state(queue, agent);
        return <State tone={tone} label={label} detail={detail || undefined} />;
      },
    },
    {
      title: "For",
      cell: (agent) => {
        const { since } = board.state(queue, agent);
        return since === null ? "" : <span className="figures">{durationText(board.waited(since))}</span>;
      },
    },
    {
      title: "",
      align: "right",
      cell: (agent) => (
        <Group gap={4} justify="flex-end">
          {agent.doing === "talking" && ringing.length > 0 ? (
            <AttendButtons
              siteId={siteId}
              queueId={queue.queue_id}
              agent={{ id: agent.user_id, name: nameOf(agent.user_id) }}
              supervisors={ringing}
              ownId={rights.userId}
            />
          ) : null}
          {maySet(rights, agent.user_id, supervisors) ? (
            <PresenceMenu
              siteId={siteId}
              queueId={queue.queue_id}
              userId={agent.user_id}
              presence={agent.presence}
              label="Set state"
              title={`Set the state of ${nameOf(agent.user_id)} at ${queue.name}`}
              name={nameOf(agent.user_id)}
              told={(presence) => `${nameOf(agent.user_id)} ${STANDS[presence]} at ${queue.name}`}
            />
          ) : null}
        </Group>
      ),
    },
  ];
  if (agents.length === 0) {
    return (
      <Text size="sm" c="dimmed" py="xs">
        The queue has no agents: callers go on, or are told so.
      </Text>
    );
  }
  return <DataTable label={`Agents of ${queue.name}`} rows={agents} rowKey={(agent) => agent.user_id} columns={columns} />;
}
