/** The story of one caller of a queue: who was rung, and the records of the calls. */
import { List, Stack, Text } from "@mantine/core";
import { useState } from "react";

import { api } from "../api/client";
import { useLivePages } from "../api/live";
import type { CallRecord, QueueCall } from "../api/types";
import { CallLadder } from "../calls/CallLadder";
import { CallReasons } from "../calls/CallsTab";
import { dispositionOf } from "../calls/callText";
import { Loaded } from "../shell/Page";
import { State } from "../shell/State";
import { Moment } from "../shell/When";
import { durationText } from "../shell/times";

const MINUTE = 60_000;
const RESULTS: Record<string, string> = {
  answered: "answered",
  no_answer: "did not answer",
  other: "somebody else was faster, or the caller went",
};

interface Props {
  call: QueueCall;
  names: ReadonlyMap<string, string>;
  zone: string;
  /** Records of everybody’s calls are for administrators. */
  hasRecords: boolean;
}

export function QueueCallStory({ call, names, zone, hasRecords }: Props) {
  return (
    <Stack gap="xs" style={{ textAlign: "left" }}>
      {call.offers.length > 0 ? (
        <List size="sm" aria-label="Who was rung">
          {call.offers.map((offer, place) => (
            <List.Item key={place}>
              {names.get(offer.user_id) ?? "Somebody who is gone"} was rung for {durationText(offer.seconds)}:{" "}
              {RESULTS[offer.result] ?? offer.result}
            </List.Item>
          ))}
        </List>
      ) : (
        <Text size="sm" c="dimmed">
          Nobody was rung.
        </Text>
      )}
      {hasRecords ? <Records call={call} zone={zone} /> : null}
    </Stack>
  );
}

function Records({ call, zone }: { call: QueueCall; zone: string }) {
  const [looked, setLooked] = useState<CallRecord | null>(null);
  const [after, before] = [Date.parse(call.came_at) - MINUTE, Date.parse(call.ended_at) + MINUTE].map((at) => new Date(at).toISOString());
  const records = useLivePages<CallRecord>(
    ["calls", call.site_id, call.id],
    (init, cursor) => api.GET("/calls", { ...init, params: { query: { site_id: call.site_id, after, before, limit: 200, cursor } } }),
    { poll: false },
  );
  return (
    <Loaded query={{ data: records.items, error: records.error, refetch: records.refetch }}>
      {(all) => {
        const own = all.filter((one) => one.caller === call.caller);
        return (
          <>
            {own.length === 0 ? (
              <Text size="sm" c="dimmed">
                There is no record of a call from {call.caller} at this time.
              </Text>
            ) : null}
            {own.map((record) => (
              <section key={record.id} aria-label={`Call record: ${record.caller} to ${record.callee}`}>
                <Text size="sm" fw={560}>
                  <Moment at={record.started_at} zone={zone} /> {record.caller} to {record.callee}
                </Text>
                <State {...dispositionOf(record)} />
                <CallReasons call={record} onMessages={() => setLooked(record)} />
              </section>
            ))}
            {looked ? <CallLadder call={looked} onClose={() => setLooked(null)} /> : null}
          </>
        );
      }}
    </Loaded>
  );
}
