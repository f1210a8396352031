/** Recordings of conferences: listening to them is noted, so each is fetched only when somebody wants to. */
import { Box, Button, Text } from "@mantine/core";
import { useState } from "react";

import { api, bodyOf } from "../api/client";
import { refresh, useLive } from "../api/live";
import type { ConferenceRecording, ConferenceRecordings, Site } from "../api/types";
import { Player } from "../messages/Player";
import { Confirm } from "../shell/Confirm";
import { DataTable } from "../shell/DataTable";
import { Loaded } from "../shell/Page";
import { RowActions } from "../shell/RowActions";
import { Moment } from "../shell/When";
import { tellDone } from "../shell/notices";
import { Card } from "../sites/OverviewTab";
import { lengthOf } from "./rooms";

const ELSEWHERE = { coming: "On its way", at_the_site: "Stays at the site" };

export function Recordings({ site, online }: { site: Site; online: boolean }) {
  const key = ["conference-recordings", site.id];
  const kept = useLive<ConferenceRecordings>(
    key,
    (init) => api.GET("/sites/{site_id}/conference-recordings", { ...init, params: { path: { site_id: site.id } } }),
    { poll: false },
  );
  const [open, setOpen] = useState<ConferenceRecording | null>(null);
  const [deleted, setDeleted] = useState<ConferenceRecording | null>(null);
  if (!online && kept.error) return null; // only the edge knows whether there are any
  return (
    <Card title="Recordings">
      <Loaded query={kept}>
        {({ items }) =>
          items.length === 0 ? (
            <Text size="sm" c="dimmed">
              None lies at the edge.
            </Text>
          ) : (
            <>
              <DataTable
                label="Recordings"
                rows={items}
                rowKey={(one) => one.recording_id}
                columns={[
                  { title: "Room", cell: (one) => one.name },
                  { title: "Began", cell: (one) => <Moment at={one.began_at} zone={site.time_zone} /> },
                  { title: "Length", cell: (one) => lengthOf(one.seconds) },
                  {
                    title: "Sound",
                    cell: (one) =>
                      one.audio === "here" ? (
                        <Button
                          size="compact-sm"
                          variant="light"
                          aria-expanded={open?.recording_id === one.recording_id}
                          aria-label={`Listen to the recording of ${one.name}`}
                          onClick={() => setOpen(open?.recording_id === one.recording_id ? null : one)}
                        >
                          {open?.recording_id === one.recording_id ? "Close" : "Listen"}
                        </Button>
                      ) : (
                        ELSEWHERE[one.audio]
                      ),
                  },
                  {
                    title: "",
                    align: "right",
                    cell: (one) => <RowActions name={`recording of ${one.name}`} onDelete={() => setDeleted(one)} />,
                  },
                ]}
              />
              {open && items.some((one) => one.recording_id === open.recording_id) ? (
                <Box component="section" aria-label="Player" mt="sm">
                  <Player
                    key={open.recording_id}
                    id={open.recording_id}
                    begin={() => beginListening(site.id, open.recording_id)}
                    name={`recording of ${open.name}`}
                    seconds={open.seconds}
                  />
                </Box>
              ) : null}
              {items.some((one) => one.audio === "here") ? (
                <Text size="xs" c="dimmed" mt="xs">
                  Who listens is written into the audit.
                </Text>
              ) : null}
            </>
          )
        }
      </Loaded>
      {deleted ? (
        <Confirm
          title={`Delete the recording of ${deleted.name}?`}
          action="Delete recording"
          run={async () => {
            const params = { path: { site_id: site.id, recording_id: deleted.recording_id } };
            await bodyOf(api.DELETE("/sites/{site_id}/conference-recordings/{recording_id}", { params }));
            await refresh(key);
            tellDone("The recording was deleted");
          }}
          onClose={() => setDeleted(null)}
        >
          It goes for good, here and at the site’s edge, as soon as that is reached.
        </Confirm>
      ) : null}
    </Card>
  );
}

function beginListening(siteId: string, recordingId: string) {
  const params = { path: { site_id: siteId, recording_id: recordingId } };
  return bodyOf(api.POST("/sites/{site_id}/conference-recordings/{recording_id}/listening", { params }));
}
