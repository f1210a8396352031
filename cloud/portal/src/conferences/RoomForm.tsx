/** The panel in which a room is made or edited; it is saved into the dial plan by itself. */
import { Select, TagsInput, TextInput } from "@mantine/core";

import { refresh } from "../api/live";
import type { Site } from "../api/types";
import { usePart } from "../dialplan/usePart";
import { Fields, type FieldOf } from "../forms/Fields";
import { FormDrawer } from "../forms/FormDrawer";
import { tellDone } from "../shell/notices";
import { MusicInput } from "../sounds/MusicInput";
import { LANGUAGES } from "../voicemail/voicemailText";
import { ANNOUNCED, roomPart, wrongWith, type Room } from "./rooms";

const FIELDS: readonly FieldOf<Room>[] = [
  { kind: "switch", name: "enabled", label: "Switched on" },
  {
    kind: "switch",
    name: "asks_pin",
    label: "Ask for a PIN",
    help: "As long as none is set, nobody but the owner gets in. PINs are set apart from here.",
  },
  { kind: "number", name: "most_members", label: "Most callers", min: 2, max: 100 },
  { kind: "switch", name: "waits_for_moderator", label: "Music until a moderator is there" },
  { kind: "switch", name: "ends_with_moderator", label: "Ends when the last moderator goes" },
  { kind: "switch", name: "music_alone", label: "Music for whoever is alone" },
  { kind: "select", name: "announced", label: "All hear", options: ANNOUNCED },
  { kind: "switch", name: "locked", label: "Begins locked", help: "Moderators only get in until one of them opens it" },
  { kind: "switch", name: "muted_on_entry", label: "Mute who comes", help: "But not moderators; keys * 1 end it" },
  { kind: "switch", name: "recorded", label: "Record it from its beginning", help: "Callers are told" },
  { kind: "select", name: "language", label: "Language", options: LANGUAGES },
  { kind: "text", name: "permission", label: "Permission that callers need", nullable: true, help: "Empty: none, also from outside" },
];

interface Props {
  site: Site;
  room: Room;
  isNew: boolean;
  people: { value: string; label: string }[];
  onClose: () => void;
}

export function RoomForm({ site, room, isNew, people, onClose }: Props) {
  const draft = usePart<Room>({
    siteId: site.id,
    part: roomPart(room.service_id),
    initial: room,
    isNew,
    check: wrongWith,
    onSaved: async (saved) => {
      await refresh(["conference-rooms", site.id]);
      tellDone(`${saved.name} was saved and is being published`);
      onClose();
    },
  });
  const values = draft.values;
  const personal = room.kind === "user_conferences";
  return (
    <FormDrawer
      title={isNew ? (personal ? "A room for each user" : "New room") : `Room ${room.name}`}
      saveLabel={isNew ? "Add room" : "Save"}
      draft={draft}
      onClose={onClose}
    >
      <TextInput label="Name" data-autofocus {...draft.text("name")} />
      <TextInput
        label={personal ? "Number before the user’s" : "Number"}
        description={
          personal
            ? "With 7, the room of extension 200 is 7200; 7 alone leads users to their own room and asks others whose they want"
            : "What callers dial"
        }
        inputMode="numeric"
        {...draft.text("extension")}
      />
      <TagsInput
        label="Further numbers and names"
        description="Such as a number of the public network"
        acceptValueOnBlur
        {...draft.field("aliases")}
        value={[...(values.aliases ?? [])]}
      />
      {values.kind === "conference" ? (
        <Select
          label="Owner"
          description="A moderator by the own phone, without a PIN"
          data={people}
          searchable
          clearable
          value={values.owner ?? null}
          error={draft.problemAt("owner")}
          onChange={(owner) => draft.set({ owner } as Partial<Room>)}
        />
      ) : null}
      <Fields draft={draft} fields={FIELDS} />
      <MusicInput
        tenantId={site.tenant_id}
        otherwise="that of the room’s owner, or of the site"
        value={values.music ?? null}
        error={draft.problemAt("music")}
        onChange={(music) => draft.set({ music } as Partial<Room>)}
      />
    </FormDrawer>
  );
}
