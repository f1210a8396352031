/** What became of callers of queues: filtered, added up, listed page by page, and to take along. */
import { ActionIcon, Button, Center, Group, Select, Stack, Text, TextInput } from "@mantine/core";
import { useState } from "react";

import { api, bodyOf } from "../api/client";
import { useLivePages } from "../api/live";
import type { QueueCall } from "../api/types";
import { Party } from "../calls/Party";
import { DataTable, type Column } from "../shell/DataTable";
import { saveText } from "../shell/DownloadText";
import { Empty, Loaded } from "../shell/Page";
import { State } from "../shell/State";
import { Moment } from "../shell/When";
import { ChevronIcon } from "../shell/icons";
import { tellProblem } from "../shell/notices";
import { durationText, instantAt, localAt } from "../shell/times";
import { callsCsv, outcomeOf, outcomeOptions, PERIODS, secondsOf, spanOf, type Period, type Span } from "./queueHistory";
import { QueueCallStory } from "./QueueCallStory";
import { QueueTotalsCard, useTotals, type Wanted } from "./QueueTotalsCard";

type Outcome = QueueCall["outcome"];
type CallPage = { items: QueueCall[]; people: { user_id: string; name: string }[]; next?: string | null };

const OUTCOMES: readonly Outcome[] = ["answered", "called_back", "not_reached", "abandoned", "full", "too_long", "left_by_key", "closed"];
const CALLS_MILLISECONDS = 10_000;
const PAGE = 50;
const CSV_PAGE = 200;
/** A list to take along has so many callers at most. */
const MOST_IN_CSV = 10_000;

interface Props {
  siteId: string;
  zone: string;
  hasRecords: boolean;
}

export function QueueHistory({ siteId, zone, hasRecords }: Props) {
  const [period, setPeriod] = useState<Period>("today");
  const [own, setOwn] = useState<{ from: string; to: string }>(() => {
    const now = Date.now();
    return { from: localAt(now - 86_400_000, zone), to: localAt(now, zone) };
  });
  const [queueId, setQueueId] = useState<string | null>(null);
  const [agentId, setAgentId] = useState<string | null>(null);
  const [outcome, setOutcome] = useState<Outcome | null>(null);
  const span: Span = period === "own" ? { after: instantAt(own.from, zone), before: instantAt(own.to, zone) } : spanOf(period, Date.now(), zone);
  const wanted: Wanted = { ...span, ...(queueId ? { queue_id: queueId } : {}), ...(agentId ? { agent_id: agentId } : {}) };
  const queues = useTotals(siteId, span, "queue");
  const agents = useTotals(siteId, span, "agent");
  const queueNames = (queues.data?.items ?? []).map((one) => ({ value: one.key, label: one.name }));
  const agentNames = (agents.data?.people ?? []).map((one) => ({ value: one.user_id, label: one.name }));
  return (
    <Stack>
      <Group gap="xs" align="flex-end" role="group" aria-label="Which callers">
        <Select label="Time" w={150} allowDeselect={false} data={[...PERIODS]} value={period} onChange={(value) => setPeriod((value ?? "today") as Period)} />
        {period === "own" ? (
          <>
            <MomentInput label={`From (${zone})`} value={own.from} onChange={(from) => setOwn({ ...own, from })} />
            <MomentInput label={`To (${zone})`} value={own.to} onChange={(to) => setOwn({ ...own, to })} />
          </>
        ) : null}
        <Select label="Queue" placeholder="All" w={160} clearable data={queueNames} value={queueId} onChange={setQueueId} />
        <Select label="Agent" placeholder="All" w={160} clearable data={agentNames} value={agentId} onChange={setAgentId} />
        <Select
          label="Outcome"
          placeholder="All"
          w={170}
          clearable
          data={outcomeOptions(OUTCOMES)}
          value={outcome}
          onChange={(value) => setOutcome(value as Outcome | null)}
        />
      </Group>
      <QueueTotalsCard siteId={siteId} wanted={wanted} zone={zone} />
      <Callers siteId={siteId} zone={zone} wanted={wanted} outcome={outcome} hasRecords={hasRecords} />
    </Stack>
  );
}

/** A moment that is typed; while it is no whole one, the one before stays. */
function MomentInput({ label, value, onChange }: { label: string; value: string; onChange: (value: string) => void }) {
  return (
    <TextInput
      label={label}
      type="datetime-local"
      required
      withAsterisk={false}
      defaultValue={value}
      onChange={(event) => {
        if (event.currentTarget.value) onChange(event.currentTarget.value);
      }}
    />
  );
}

interface CallersProps extends Props {
  wanted: Wanted;
  outcome: Outcome | null;
}

function Callers({ siteId, zone, wanted, outcome, hasRecords }: CallersProps) {
  const query = { ...wanted, ...(outcome ? { outcome } : {}) };
  const [opened, setOpened] = useState<string | null>(null);
  const [names, setNames] = useState<ReadonlyMap<string, string>>(new Map());
  const page = (limit: number, cursor: string | undefined, init: object = {}) =>
    api.GET("/sites/{site_id}/queue-calls", { ...init, params: { path: { site_id: siteId }, query: { ...query, limit, cursor } } });
  const calls = useLivePages<QueueCall>(
    ["queue-calls", siteId, JSON.stringify(query)],
    async (init, cursor) => {
      const answer = await page(PAGE, cursor, init);
      const people = (answer.data as CallPage | undefined)?.people ?? [];
      if (people.length > 0) setNames((before) => new Map([...before, ...people.map((one) => [one.user_id, one.name] as const)]));
      return answer;
    },
    { every: CALLS_MILLISECONDS },
  );
  const takeAlong = async () => {
    try {
      const all: QueueCall[] = [];
      const people = new Map<string, string>();
      let cursor: string | undefined;
      do {
        const found: CallPage = await bodyOf(page(CSV_PAGE, cursor));
        all.push(...found.items);
        for (const one of found.people) people.set(one.user_id, one.name);
        cursor = found.next ?? undefined;
      } while (cursor !== undefined && all.length < MOST_IN_CSV);
      saveText(`queue-calls-${wanted.after.slice(0, 10)}.csv`, callsCsv(all, people, zone), "text/csv");
    } catch (error) {
      tellProblem(error);
    }
  };
  const columns: Column<QueueCall>[] = [
    { title: `Came (${zone})`, cell: (call) => <Moment at={call.came_at} zone={zone} /> },
    { title: "Queue", cell: (call) => call.queue_name },
    { title: "Caller", cell: (call) => <Party number={call.caller} name={call.caller_name || undefined} /> },
    { title: "Outcome", cell: (call) => <State {...outcomeOf(call)} detail={call.sent_to ? `went on to ${call.sent_to}` : undefined} /> },
    { title: "Agent", cell: (call) => (call.agent_id === null ? "" : (names.get(call.agent_id) ?? "Somebody who is gone")) },
    { title: "Waited", align: "right", cell: (call) => <span className="figures">{durationText(secondsOf(call).waited)}</span> },
    {
      title: "Talked",
      align: "right",
      cell: (call) => {
        const { talked } = secondsOf(call);
        return talked === null ? <Text c="dimmed">—</Text> : <span className="figures">{durationText(talked)}</span>;
      },
    },
    {
      title: "",
      align: "right",
      cell: (call) => (
        <ActionIcon
          variant="subtle"
          color="gray"
          aria-expanded={opened === call.id}
          aria-label={`What became of ${call.caller} at ${call.queue_name}`}
          onClick={() => setOpened(opened === call.id ? null : call.id)}
          style={{ transform: opened === call.id ? "rotate(90deg)" : undefined }}
        >
          <ChevronIcon size={16} />
        </ActionIcon>
      ),
    },
  ];
  return (
    <Loaded query={{ data: calls.items, error: calls.error, refetch: calls.refetch }}>
      {(all) =>
        all.length === 0 ? (
          <div className="card">
            <Empty title="No callers">Nobody called these queues at this time, or the edge did not tell of it yet.</Empty>
          </div>
        ) : (
          <>
            <Group justify="flex-end">
              <Button size="compact-sm" variant="default" onClick={() => void takeAlong()}>
                Download as CSV
              </Button>
            </Group>
            <DataTable
              label="Callers"
              columns={columns}
              rows={all}
              rowKey={(call) => call.id}
              below={(call) => (opened === call.id ? <QueueCallStory call={call} names={names} zone={zone} hasRecords={hasRecords} /> : null)}
            />
            {calls.hasNextPage ? (
              <Center>
                <Button variant="default" loading={calls.isFetchingNextPage} onClick={() => void calls.fetchNextPage()}>
                  Show earlier callers
                </Button>
              </Center>
            ) : null}
          </>
        )
      }
    </Loaded>
  );
}
