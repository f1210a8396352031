/** Who is in conferences now, asked of the edge; what can be done with them is done at the edge at once. */
import { Button, Group, Menu, Stack, Text } from "@mantine/core";
import { useEffect, useState } from "react";

import { api, bodyOf } from "../api/client";
import { queries, useLive } from "../api/live";
import type { Conferences, ConferenceOrder, LiveConference, LiveParty, Site } from "../api/types";
import { Party } from "../calls/Party";
import { Confirm } from "../shell/Confirm";
import { DataTable } from "../shell/DataTable";
import { Loaded } from "../shell/Page";
import { State } from "../shell/State";
import { Ago } from "../shell/When";
import { tellProblem } from "../shell/notices";
import { Card } from "../sites/OverviewTab";
import { partyState } from "./rooms";

/** The edge is asked so often while somebody is in a conference. */
const ASK_MILLISECONDS = 4000;
const STEP = 3;
const MOST = 12;

type Do = (order: ConferenceOrder) => Promise<void>;

export function LiveConferences({ site }: { site: Site }) {
  const key = ["conferences", site.id];
  const live = useLive<Conferences>(
    key,
    (init) => api.GET("/sites/{site_id}/conferences", { ...init, params: { path: { site_id: site.id } } }),
    { poll: false },
  );
  const going = (live.data?.items.length ?? 0) > 0;
  const { refetch } = live;
  useEffect(() => {
    if (!going) return undefined;
    const timer = setInterval(() => {
      if (!document.hidden) void refetch();
    }, ASK_MILLISECONDS);
    return () => clearInterval(timer);
  }, [going, refetch]);

  const order = (room: LiveConference) => async (wanted: ConferenceOrder) => {
    const params = { path: { site_id: site.id, room_id: room.room_id } };
    const { conference } = await bodyOf(api.POST("/sites/{site_id}/conferences/{room_id}/orders", { params, body: wanted }));
    queries.setQueryData<Conferences>(key, (before) => ({
      items: (before?.items ?? []).flatMap((one) => {
        if (one.room_id !== room.room_id) return [one];
        return conference ? [conference] : [];
      }),
    }));
  };
  return (
    <Card
      title="Now"
      actions={
        <Button size="compact-sm" variant="default" loading={live.isFetching} onClick={() => void refetch()}>
          Ask the edge again
        </Button>
      }
    >
      <Loaded query={live}>
        {({ items }) =>
          items.length === 0 ? (
            <Text size="sm" c="dimmed">
              Nobody is in a conference.
            </Text>
          ) : (
            <Stack>
              {items.map((room) => (
                <OneConference key={`${room.room_id} ${room.began_at}`} room={room} run={order(room)} />
              ))}
            </Stack>
          )
        }
      </Loaded>
    </Card>
  );
}

function OneConference({ room, run }: { room: LiveConference; run: Do }) {
  const [ending, setEnding] = useState(false);
  const [removed, setRemoved] = useState<LiveParty | null>(null);
  const doIt: Do = async (order) => {
    try {
      await run(order);
    } catch (error) {
      tellProblem(error);
    }
  };
  const anyHeard = (room.parties ?? []).some((one) => !one.moderator && !one.muted);
  return (
    <Stack gap="xs" component="section" aria-label={`Conference ${room.name}`}>
      <Group justify="space-between" gap="xs">
        <Group gap="sm">
          <Text fw={550}>{room.name}</Text>
          <span className="mono">{room.extension}</span>
          <Text size="sm" c="dimmed">
            began <Ago at={room.began_at} />
          </Text>
          {room.locked ? <State tone="waiting" label="Locked" /> : null}
          {room.recorded ? <State tone="bad" label="Being recorded" /> : null}
        </Group>
        <Group gap="xs">
          <Button size="compact-sm" variant="default" onClick={() => void doIt({ action: anyHeard ? "mute_others" : "unmute_others", decibels: 0 })}>
            {anyHeard ? "Mute all" : "Let all be heard"}
          </Button>
          <Button size="compact-sm" variant="default" onClick={() => void doIt({ action: room.locked ? "unlock" : "lock", decibels: 0 })}>
            {room.locked ? "Unlock" : "Lock"}
          </Button>
          <Button
            size="compact-sm"
            variant="default"
            onClick={() => void doIt({ action: room.recorded ? "stop_recording" : "record", decibels: 0 })}
          >
            {room.recorded ? "Stop recording" : "Record"}
          </Button>
          <Button size="compact-sm" color="red" variant="light" onClick={() => setEnding(true)}>
            End
          </Button>
        </Group>
      </Group>
      <DataTable
        label={`Who is in ${room.name}`}
        rows={room.parties ?? []}
        rowKey={(party) => party.party_id}
        columns={[
          { title: "Who", cell: (party) => <Party number={party.number} name={party.name || undefined} /> },
          { title: "State", cell: (party) => <State {...partyState(party)} /> },
          { title: "Role", cell: (party) => (party.moderator ? "Moderator" : "Takes part") },
          { title: "Came", cell: (party) => <Ago at={party.came_at} /> },
          {
            title: "",
            align: "right",
            cell: (party) => <PartyActions party={party} run={doIt} onRemove={() => setRemoved(party)} />,
          },
        ]}
      />
      {ending ? (
        <Confirm
          title={`End ${room.name}?`}
          action="End conference"
          run={() => run({ action: "end", decibels: 0 })}
          onClose={() => setEnding(false)}
        >
          All who are in it are told, and hung up on.
        </Confirm>
      ) : null}
      {removed ? (
        <Confirm
          title={`Remove ${removed.name || removed.number}?`}
          action="Remove"
          run={() => run({ action: "kick", party_id: removed.party_id, decibels: 0 })}
          onClose={() => setRemoved(null)}
        >
          Whoever it is is told, and hung up on.
        </Confirm>
      ) : null}
    </Stack>
  );
}

function PartyActions({ party, run, onRemove }: { party: LiveParty; run: Do; onRemove: () => void }) {
  const who = party.name || party.number;
  const sound = (party.sound_db ?? 0) as number;
  const step = (by: number) =>
    void run({ action: "sound", party_id: party.party_id, decibels: Math.max(-MOST, Math.min(MOST, sound + by)) });
  return (
    <Group gap="xs" wrap="nowrap" justify="flex-end">
      <Button
        size="compact-xs"
        variant="default"
        disabled={party.waiting}
        aria-label={party.muted ? `Let ${who} be heard` : `Mute ${who}`}
        onClick={() => void run({ action: party.muted ? "unmute" : "mute", party_id: party.party_id, decibels: 0 })}
      >
        {party.muted ? "Unmute" : "Mute"}
      </Button>
      <Menu position="bottom-end">
        <Menu.Target>
          <Button size="compact-xs" variant="default" aria-label={`More for ${who}`}>
            More
          </Button>
        </Menu.Target>
        <Menu.Dropdown>
          <Menu.Item onClick={() => step(STEP)} disabled={sound >= MOST}>
            Louder for the others
          </Menu.Item>
          <Menu.Item onClick={() => step(-STEP)} disabled={sound <= -MOST}>
            Softer for the others
          </Menu.Item>
          <Menu.Item color="red" onClick={onRemove}>
            Remove
          </Menu.Item>
        </Menu.Dropdown>
      </Menu>
    </Group>
  );
}
