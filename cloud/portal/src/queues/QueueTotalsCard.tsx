/** Callers of a time, added up: by the hour as a chart, by queue and by agent as tables. */
import { SegmentedControl, Stack, Text } from "@mantine/core";
import { useState } from "react";

import { api } from "../api/client";
import { useLive } from "../api/live";
import type { QueueTotal, QueueTotals } from "../api/types";
import { DataTable, type Column } from "../shell/DataTable";
import { Loaded } from "../shell/Page";
import { State } from "../shell/State";
import { Moment } from "../shell/When";
import { durationText } from "../shell/times";
import { Card } from "../sites/OverviewTab";
import { HoursChart } from "./HoursChart";
import { hourBars, type Span } from "./queueHistory";
import { levelText, levelTone } from "./queuesNow";

const TOTALS_MILLISECONDS = 15_000;

export interface Wanted extends Span {
  queue_id?: string;
  agent_id?: string;
}

export function useTotals(siteId: string, wanted: Wanted, by: "queue" | "agent" | "hour") {
  return useLive<QueueTotals>(
    ["queue-totals", siteId, by, JSON.stringify(wanted)],
    (init) => api.GET("/sites/{site_id}/queue-totals", { ...init, params: { path: { site_id: siteId }, query: { ...wanted, by } } }),
    { every: TOTALS_MILLISECONDS },
  );
}

export function QueueTotalsCard({ siteId, wanted, zone }: { siteId: string; wanted: Wanted; zone: string }) {
  const [by, setBy] = useState<"queue" | "agent">("queue");
  const hours = useTotals(siteId, wanted, "hour");
  const totals = useTotals(siteId, wanted, by);
  return (
    <Card
      title="Totals"
      actions={
        <SegmentedControl
          size="xs"
          aria-label="Added up by"
          value={by}
          onChange={(value) => setBy(value as "queue" | "agent")}
          data={[
            { value: "queue", label: "By queue" },
            { value: "agent", label: "By agent" },
          ]}
        />
      }
    >
      <Stack>
        <Loaded query={hours}>{(found) => <HoursChart bars={hourBars(found.items, zone)} span={wanted} zone={zone} />}</Loaded>
        <Loaded query={totals}>
          {(found) => (
            <>
              {found.items.length > 0 ? <TotalsTable found={found} by={by} /> : null}
              <Text size="xs" c="dimmed">
                {found.told_until ? (
                  <>
                    The last caller of this time who is known of went at <Moment at={found.told_until} zone={zone} />.
                  </>
                ) : (
                  "No caller of this time is known of."
                )}
              </Text>
            </>
          )}
        </Loaded>
      </Stack>
    </Card>
  );
}

function TotalsTable({ found, by }: { found: QueueTotals; by: "queue" | "agent" }) {
  const names = new Map(found.people.map((one) => [one.user_id, one.name]));
  const seconds = (value: number | null) => (value === null ? "—" : durationText(value));
  const nameOf = (total: QueueTotal) => (by === "queue" ? total.name : (names.get(total.key) ?? "Somebody who is gone"));
  const figure = (title: string, of: (total: QueueTotal) => string | number): Column<QueueTotal> => ({
    title,
    align: "right",
    cell: (total) => <span className="figures">{of(total)}</span>,
  });
  const columns: Column<QueueTotal>[] = [
    { title: by === "queue" ? "Queue" : "Agent", cell: nameOf },
    ...(by === "queue"
      ? [
          figure("Callers", (total) => total.calls),
          figure("Answered", (total) => total.answered),
          figure("Abandoned", (total) => total.abandoned),
          figure("Sent on", (total) => total.overflowed),
          {
            title: "Service level",
            cell: (total: QueueTotal) => <State tone={levelTone(total.service_level)} label={levelText(total.service_level)} />,
          },
          figure("Mean wait", (total) => seconds(total.average_wait_seconds)),
          figure("Longest wait", (total) => seconds(total.longest_wait_seconds)),
        ]
      : [figure("Answered", (total) => total.answered), figure("Missed", (total) => total.missed)]),
    figure("Mean talk", (total) => seconds(total.average_talk_seconds)),
    ...(by === "agent"
      ? [
          figure("Talk in all", (total) => durationText(total.talk_seconds)),
          figure("Wrap-up in all", (total) => durationText(total.wrap_up_seconds)),
        ]
      : []),
  ];
  return <DataTable label={`Totals by ${by}`} rows={found.items} rowKey={(total) => total.key} columns={columns} />;
}
