/** The panel in which a park, paging group, announcement or code service is made or edited; group mailboxes too. */
import { MultiSelect, Select, TagsInput, Textarea, TextInput } from "@mantine/core";

import type { Site } from "../api/types";
import { refresh } from "../api/live";
import { usePart } from "../dialplan/usePart";
import { Fields, type FieldOf } from "../forms/Fields";
import { FormDrawer } from "../forms/FormDrawer";
import { tellDone } from "../shell/notices";
import { MusicInput } from "../sounds/MusicInput";
import { PERMISSIONS } from "../users/permissions";
import { LANGUAGES } from "../voicemail/voicemailText";
import { MulticastInput } from "./MulticastInput";
import { OrbitMusicInput } from "./OrbitMusicInput";
import { codesNamed, KINDS, orbitsOf, servicePart, wrongWith, type Kind, type Service } from "./services";

type Loose = Record<string, unknown>;

const FIELDS: Record<Kind, readonly FieldOf<Loose>[]> = {
  park: [
    { kind: "number", name: "timeout_seconds", label: "Seconds until whoever parked is rung", min: 10, max: 3600 },
    { kind: "number", name: "ring_seconds", label: "Seconds that those phones ring", min: 5, max: 120 },
    { kind: "text", name: "leave_key", label: "Key that ends the waiting", help: "Empty: there is none" },
    { kind: "text", name: "leave_to", label: "Where that key leads", nullable: true, help: "Empty: to whoever parked the call" },
  ],
  mailbox: [],
  fax: [
    { kind: "text", name: "station", label: "Station id", help: "What machines that send are shown; empty: the number" },
    { kind: "switch", name: "t38", label: "T.38 may be taken up, where no trunk's media is relayed" },
  ],
  paging: [
    { kind: "switch", name: "beep", label: "A tone first" },
    { kind: "switch", name: "urgent", label: "Also while somebody is in a call or wants none" },
    { kind: "number", name: "longest_seconds", label: "Longest, in seconds", min: 5, max: 3600 },
  ],
  announcement: [
    { kind: "select", name: "language", label: "Language", options: LANGUAGES },
    { kind: "number", name: "times", label: "How often it is said", min: 1, max: 20 },
    { kind: "text", name: "then", label: "Then", nullable: true, help: "An extension; empty: the call ends" },
  ],
  authorization: [],
};

const STANDARD = [
  { value: "spoken", label: "A text of your own" },
  { value: "welcome", label: "Welcome" },
  { value: "closed", label: "We are closed" },
  { value: "holiday", label: "We are closed for a holiday" },
];

interface Props {
  site: Site;
  service: Service;
  isNew: boolean;
  people: { value: string; label: string }[];
  onClose: () => void;
}

export function ServiceForm({ site, service, isNew, people, onClose }: Props) {
  const draft = usePart<Service>({
    siteId: site.id,
    part: servicePart(service.service_id),
    initial: service,
    isNew,
    check: wrongWith,
    onSaved: async (saved) => {
      await refresh(["authorization-codes", site.id]);
      tellDone(`${saved.name} was saved and is being published`);
      onClose();
    },
  });
  const values = draft.values;
  const set = (changes: Loose) => draft.set(changes as Partial<Service>);
  const one = KINDS.find((each) => each.kind === service.kind)?.one ?? service.kind;
  return (
    <FormDrawer
      title={isNew ? `New ${one}` : `Edit ${service.name}`}
      saveLabel={isNew ? `Add ${one}` : "Save"}
      draft={draft}
      onClose={onClose}
    >
      <TextInput label="Name" data-autofocus {...draft.text("name")} />
      <TextInput label="Number" description="What is dialled" inputMode="numeric" {...draft.text("extension")} />
      {values.kind === "park" ? (
        <TagsInput
          label="Orbits"
          description="Numbers in which one caller each waits; 701-705 stands for five"
          acceptValueOnBlur
          value={[...values.orbits]}
          error={draft.problemAt("orbits")}
          onChange={(typed) => {
            const orbits = orbitsOf(typed);
            set({ orbits, orbit_music: values.orbit_music.filter((one) => orbits.includes(one.orbit)) });
          }}
        />
      ) : null}
      {values.kind === "mailbox" || values.kind === "fax" ? (
        <MultiSelect
          label="Owners"
          description={
            values.kind === "fax"
              ? "Each is mailed its faxes, where he has said where to in his mailbox, and finds them among his messages"
              : "Their lamps tell of its messages, and they listen to them by key 6 of their own mailbox"
          }
          searchable
          data={people}
          value={[...(values.owners ?? [])]}
          error={draft.problemAt("owners")}
          onChange={(owners) => set({ owners })}
        />
      ) : null}
      {values.kind === "paging" ? (
        <MultiSelect
          label="Members"
          searchable
          data={people}
          value={[...(values.members ?? [])]}
          error={draft.problemAt("members")}
          onChange={(members) => set({ members })}
        />
      ) : null}
      {values.kind === "announcement" && values.says.kind !== "uploaded" ? (
        <>
          <Select
            label="Says"
            data={STANDARD}
            allowDeselect={false}
            value={values.says.kind === "standard" ? (values.says.phrase ?? "welcome") : "spoken"}
            onChange={(phrase) => set({ says: phrase === "spoken" ? { kind: "spoken", text: "" } : { kind: "standard", phrase } })}
          />
          {values.says.kind === "spoken" ? (
            <Textarea
              label="Text"
              autosize
              minRows={2}
              value={values.says.text}
              error={draft.problemAt("says")}
              onChange={(event) => set({ says: { kind: "spoken", text: event.currentTarget.value } })}
            />
          ) : null}
        </>
      ) : null}
      {values.kind === "authorization" ? (
        <>
          <TextInput
            label="Code before it"
            description="Such as *82, beside the number; empty: none"
            value={values.aliases?.[0] ?? ""}
            error={draft.problemAt("aliases")}
            onChange={(event) => set({ aliases: event.currentTarget.value ? [event.currentTarget.value] : [] })}
          />
          <MultiSelect
            label="Permissions of its calls"
            data={PERMISSIONS.map(({ value, label }) => ({ value, label }))}
            value={[...(values.permissions ?? [])]}
            error={draft.problemAt("permissions")}
            onChange={(permissions) => set({ permissions })}
          />
          <TagsInput
            label="Codes"
            description="Whose each is: so it stands in the records of calls. Digits are set apart from here."
            acceptValueOnBlur
            value={(values.codes ?? []).map((code) => code.name)}
            error={draft.problemAt("codes")}
            onChange={(names) => set({ codes: codesNamed(values, names) })}
          />
        </>
      ) : null}
      <Fields draft={draft as never} fields={FIELDS[service.kind]} />
      {values.kind === "park" ? (
        <>
          <MusicInput
            tenantId={site.tenant_id}
            otherwise="that of whoever parked the call, or of the site"
            value={values.music ?? null}
            error={draft.problemAt("music")}
            onChange={(music) => set({ music })}
          />
          <OrbitMusicInput
            tenantId={site.tenant_id}
            orbits={values.orbits}
            value={values.orbit_music}
            error={draft.problemAt("orbit_music")}
            onChange={(orbit_music) => set({ orbit_music })}
          />
        </>
      ) : null}
      {values.kind === "paging" ? (
        <MulticastInput value={values.multicast ?? null} problemAt={draft.problemAt} onChange={(multicast) => set({ multicast })} />
      ) : null}
    </FormDrawer>
  );
}
