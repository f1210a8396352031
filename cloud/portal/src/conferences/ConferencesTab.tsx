/** A site's conference rooms: how they are, who is in them now, and what was recorded. */
import { Button, Group, Menu, Stack, Text } from "@mantine/core";
import { useState } from "react";

import { api } from "../api/client";
import { useLive } from "../api/live";
import type { ConferenceRooms, DialPlan, Site } from "../api/types";
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
import { LiveConferences } from "./LiveConferences";
import { PinsForm } from "./PinsForm";
import { Recordings } from "./Recordings";
import { RoomForm } from "./RoomForm";
import { freshRoom, pinsText, roomPart, roomsOf, rulesText, type Room } from "./rooms";

export function ConferencesTab({ site }: { site: Site }) {
  const query = useDialPlan(site.id);
  const online = site.edges.some((edge) => edge.online);
  return (
    <Stack>
      {online ? (
        <LiveConferences site={site} />
      ) : (
        <Text size="sm" c="dimmed" role="status">
          The edge is not connected: conferences go on at the site, and cannot be watched from here.
        </Text>
      )}
      <Loaded query={query}>{(saved) => <Rooms site={site} saved={saved} />}</Loaded>
      <Recordings site={site} online={online} />
    </Stack>
  );
}

function Rooms({ site, saved }: { site: Site; saved: DialPlan }) {
  const users = useUsers(site.id, { poll: false });
  const pins = useLive<ConferenceRooms>(
    ["conference-rooms", site.id],
    (init) => api.GET("/sites/{site_id}/conference-rooms", { ...init, params: { path: { site_id: site.id } } }),
    { poll: false },
  );
  const [edited, setEdited] = useState<{ room: Room; isNew: boolean } | null>(null);
  const [deleted, setDeleted] = useState<Room | null>(null);
  const [locked, setLocked] = useState<Room | null>(null);
  const rooms = roomsOf(saved.document);
  const hasPersonal = rooms.some((one) => one.kind === "user_conferences");
  const begin = (kind: Room["kind"]) => setEdited({ room: freshRoom(saved.document, kind), isNew: true });
  const pinsOf = (room: Room) => pins.data?.items.find((one) => one.room_id === room.service_id);
  const ownerOf = (room: Room) => {
    if (room.kind === "user_conferences") return "each user";
    return users.data?.find((one) => one.id === room.owner)?.display_name ?? "nobody";
  };
  return (
    <Card
      title="Rooms"
      actions={
        <Menu position="bottom-end">
          <Menu.Target>
            <Button size="compact-sm" variant="default">
              Add a room
            </Button>
          </Menu.Target>
          <Menu.Dropdown>
            <Menu.Item onClick={() => begin("conference")}>One room</Menu.Item>
            <Menu.Item onClick={() => begin("user_conferences")} disabled={hasPersonal}>
              A room for each user
            </Menu.Item>
          </Menu.Dropdown>
        </Menu>
      }
    >
      {rooms.length === 0 ? (
        <Empty title="No rooms yet">A room has a number at which callers meet, also while the cloud is away.</Empty>
      ) : (
        <DataTable
          label="Conference rooms"
          rows={rooms}
          rowKey={(room) => room.service_id}
          columns={[
            {
              title: "Number",
              cell: (room) => <span className="mono">{room.kind === "conference" ? room.extension : `${room.extension} …`}</span>,
            },
            { title: "Name", cell: (room) => (room.enabled ? room.name : <State tone="idle" label={`${room.name}, off`} />) },
            { title: "Moderator", cell: ownerOf },
            { title: "What it does", cell: (room) => <Text size="sm">{rulesText(room)}</Text> },
            {
              title: "PINs",
              cell: (room) =>
                room.kind === "user_conferences" ? (
                  <Text size="sm" c="dimmed">
                    each user’s own
                  </Text>
                ) : (
                  pinsText(pinsOf(room))
                ),
            },
            {
              title: "",
              align: "right",
              cell: (room) => (
                <Group gap="xs" wrap="nowrap" justify="flex-end">
                  {room.kind === "conference" ? (
                    <Button
                      size="compact-xs"
                      variant="default"
                      onClick={() => setLocked(room)}
                      aria-label={`Set the PINs of ${room.name}`}
                    >
                      PINs
                    </Button>
                  ) : null}
                  <RowActions
                    name={room.name}
                    onEdit={() => setEdited({ room, isNew: false })}
                    onDelete={() => setDeleted(room)}
                  />
                </Group>
              ),
            },
          ]}
        />
      )}
      {edited ? (
        <RoomForm
          site={site}
          room={edited.room}
          isNew={edited.isNew}
          people={(users.data ?? []).map((one) => ({ value: one.id, label: one.display_name || one.username }))}
          onClose={() => setEdited(null)}
        />
      ) : null}
      {locked ? (
        <PinsForm siteId={site.id} roomId={locked.service_id} name={locked.name} onClose={() => setLocked(null)} />
      ) : null}
      {deleted ? (
        <Confirm
          title={`Delete ${deleted.name}?`}
          action="Delete room"
          run={async () => {
            await savePart<Room>(site.id, roomPart(deleted.service_id), deleted, undefined);
            tellDone(`${deleted.name} was deleted`);
          }}
          onClose={() => setDeleted(null)}
        >
          Its number leads nowhere any more. Recordings stay at the edge.
        </Confirm>
      ) : null}
    </Card>
  );
}
