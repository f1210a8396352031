/** A site's recent calls, in the site's own time zone. */
import { ActionIcon, Badge, Button, Center, Group, List, Text } from "@mantine/core";
import { useMemo, useState } from "react";

import { api } from "../api/client";
import { useLivePages } from "../api/live";
import type { CallRecord, Site } from "../api/types";
import { DataTable, type Column } from "../shell/DataTable";
import { Empty, Loaded } from "../shell/Page";
import { State } from "../shell/State";
import { Moment } from "../shell/When";
import { ChevronIcon } from "../shell/icons";
import { durationText } from "../shell/times";
import { useUsers } from "../users/useUsers";
import { CallLadder } from "./CallLadder";
import { CallRecordings } from "./CallRecordings";
import { LiveCalls } from "./LiveCalls";
import { Party } from "./Party";
import { Quality } from "./Quality";
import { dispositionOf, talkSeconds } from "./callText";

export function CallsTab({ site }: { site: Site }) {
  const calls = useLivePages<CallRecord>(["calls", site.id], (init, cursor) =>
    api.GET("/calls", { ...init, params: { query: { site_id: site.id, limit: 50, cursor } } }),
  );
  const users = useUsers(site.id, { poll: false });
  const names = useMemo(() => new Map(users.data?.map((user) => [user.id, user.display_name])), [users.data]);
  const [opened, setOpened] = useState<string | null>(null);
  const [looked, setLooked] = useState<CallRecord | null>(null);
  const columns: Column<CallRecord>[] = [
    { title: `Started (${site.time_zone})`, cell: (call) => <Moment at={call.started_at} zone={site.time_zone} /> },
    { title: "From", cell: (call) => <Party number={call.caller} name={names.get(call.caller_user_id ?? "")} /> },
    { title: "To", cell: (call) => <Party number={call.callee} name={names.get(call.callee_user_id ?? "")} /> },
    {
      title: "Result",
      cell: (call) => (
        <Group gap="xs">
          <State {...dispositionOf(call)} detail={call.interrupted ? "cut off: the edge stopped" : undefined} />
          {call.recordings.length > 0 ? (
            <Badge size="sm" variant="light">
              Recorded
            </Badge>
          ) : null}
        </Group>
      ),
    },
    {
      title: "Duration",
      align: "right",
      cell: (call) => {
        const seconds = talkSeconds(call);
        return seconds === null ? <Text c="dimmed">—</Text> : durationText(seconds);
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
          aria-label={`Why the call from ${call.caller} to ${call.callee} went as it did`}
          onClick={() => setOpened(opened === call.id ? null : call.id)}
          style={{ transform: opened === call.id ? "rotate(90deg)" : undefined }}
        >
          <ChevronIcon size={16} />
        </ActionIcon>
      ),
    },
  ];
  return (
    <>
      <LiveCalls site={site} names={names} />
      <Loaded query={{ data: calls.items, error: calls.error, refetch: calls.refetch }}>
        {(all) =>
          all.length === 0 ? (
            <div className="card">
              <Empty title="No calls yet">
                Calls appear here when they end, also those that were made while the cloud was out of reach.
              </Empty>
            </div>
          ) : (
            <>
              <DataTable
                label="Calls"
                columns={columns}
                rows={all}
                rowKey={(call) => call.id}
                below={(call) => (opened === call.id ? <CallReasons call={call} onMessages={() => setLooked(call)} /> : null)}
              />
              {looked ? <CallLadder call={looked} onClose={() => setLooked(null)} /> : null}
              {calls.hasNextPage ? (
                <Center mt="md">
                  <Button variant="default" loading={calls.isFetchingNextPage} onClick={() => void calls.fetchNextPage()}>
                    Show older calls
                  </Button>
                </Center>
              ) : null}
            </>
          )
        }
      </Loaded>
    </>
  );
}

export function CallReasons({ call, onMessages }: { call: CallRecord; onMessages: () => void }) {
  return (
    <div style={{ textAlign: "left" }}>
      {call.reasons.length > 0 ? (
        <List size="sm">
          {call.reasons.map((reason, place) => (
            <List.Item key={place}>{reason}</List.Item>
          ))}
        </List>
      ) : (
        <Text size="sm" c="dimmed">
          No reasons were recorded.
        </Text>
      )}
      {call.answered_at === null ? null : <Quality call={call} />}
      {call.recordings.length > 0 ? <CallRecordings call={call} /> : null}
      <Text size="xs" c="dimmed" mt={6} className="mono wrap-anywhere">
        SIP {call.status} · Call-ID {call.sip_call_id}
      </Text>
      <Button size="compact-sm" variant="default" mt="xs" onClick={onMessages}>
        Show its SIP messages
      </Button>
    </div>
  );
}
