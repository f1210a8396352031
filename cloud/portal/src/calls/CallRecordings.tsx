/** The recordings of a call: listening to them is noted, so each is fetched only when somebody wants to. */
import { Button, Group, Stack, Text } from "@mantine/core";
import { useState } from "react";

import { api, bodyOf } from "../api/client";
import { refresh } from "../api/live";
import type { CallRecord, CallRecording } from "../api/types";
import { Player } from "../messages/Player";
import { lengthText } from "../messages/sound";
import { useMay } from "../session/roles";
import { Confirm } from "../shell/Confirm";
import { tellDone } from "../shell/notices";

const ELSEWHERE = {
  coming: "Its sound is on its way.",
  at_the_site: "Its sound stays at the site.",
};

export function CallRecordings({ call }: { call: CallRecord }) {
  const [open, setOpen] = useState<string | null>(null);
  const [deleted, setDeleted] = useState<CallRecording | null>(null);
  const mayListen = useMay("tenant_admin");
  return (
    <Stack gap="xs" mt="xs" component="section" aria-label="Recordings of the call">
      {call.recordings.map((one, place) => {
        const name = call.recordings.length > 1 ? `recording ${place + 1} of the call` : "recording of the call";
        return (
          <div key={one.id}>
            <Group gap="xs">
              <Text size="sm">
                Recorded for {lengthText(one.seconds)}; {one.announced ? "both sides were told" : "nobody was told"}.
              </Text>
              {mayListen && one.audio === "here" ? (
                <Button
                  size="compact-sm"
                  variant="light"
                  aria-expanded={open === one.id}
                  aria-label={`Listen to the ${name}`}
                  onClick={() => setOpen(open === one.id ? null : one.id)}
                >
                  {open === one.id ? "Close" : "Listen"}
                </Button>
              ) : null}
              {mayListen ? (
                <Button size="compact-sm" variant="subtle" color="red" aria-label={`Delete the ${name}`} onClick={() => setDeleted(one)}>
                  Delete
                </Button>
              ) : null}
              {one.audio === "here" ? null : (
                <Text size="sm" c="dimmed">
                  {ELSEWHERE[one.audio]}
                </Text>
              )}
            </Group>
            {open === one.id && one.audio === "here" ? (
              <div style={{ marginTop: 6 }}>
                <Player id={one.id} begin={() => beginListening(call.id, one.id)} name={name} seconds={one.seconds} />
              </div>
            ) : null}
          </div>
        );
      })}
      {mayListen && call.recordings.some((one) => one.audio === "here") ? (
        <Text size="xs" c="dimmed">
          Who listens is written into the audit.
        </Text>
      ) : null}
      {deleted ? (
        <Confirm
          title="Delete the recording?"
          action="Delete recording"
          run={async () => {
            const params = { path: { record_id: call.id, call_recording_id: deleted.id } };
            await bodyOf(api.DELETE("/calls/{record_id}/recordings/{call_recording_id}", { params }));
            await refresh(["calls", call.site_id]);
            tellDone("The recording was deleted");
          }}
          onClose={() => setDeleted(null)}
        >
          It goes for good, here and at the site’s edge, as soon as that is reached. The record of the call stays.
        </Confirm>
      ) : null}
    </Stack>
  );
}

function beginListening(callId: string, recordingId: string) {
  const params = { path: { record_id: callId, call_recording_id: recordingId } };
  return bodyOf(api.POST("/calls/{record_id}/recordings/{call_recording_id}/listening", { params }));
}
