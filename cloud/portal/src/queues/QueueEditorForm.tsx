/** The panel in which a call queue is made or edited; it is saved into the dial plan by itself. */
import { MultiSelect, Select, TagsInput, TextInput } from "@mantine/core";

import type { Site } from "../api/types";
import { usePart } from "../dialplan/usePart";
import { Fields, type FieldOf } from "../forms/Fields";
import { FormDrawer } from "../forms/FormDrawer";
import { tellDone } from "../shell/notices";
import { MusicInput } from "../sounds/MusicInput";
import { PERMISSIONS } from "../users/permissions";
import { LANGUAGES } from "../voicemail/voicemailText";
import { QueueEditorAgents } from "./QueueEditorAgents";
import { QueueEditorCallBack } from "./QueueEditorCallBack";
import { queuePart, STRATEGIES, wrongWith, type CallQueue } from "./queueEditor";

const RINGING: readonly FieldOf<CallQueue>[] = [
  {
    kind: "switch",
    name: "begin_logged_in",
    label: "Agents begin logged in",
    help: "Who never logged in or out counts as logged in",
  },
  { kind: "number", name: "ring_seconds", label: "Seconds that an agent’s phones ring", help: "Then it is somebody else’s turn", min: 5, max: 120 },
  { kind: "number", name: "wrap_up_seconds", label: "Seconds of rest after a call", min: 0, max: 600 },
];

const WAITING: readonly FieldOf<CallQueue>[] = [
  { kind: "switch", name: "welcome", label: "Greet callers", help: "Before the music" },
  {
    kind: "number",
    name: "announce_seconds",
    label: "Seconds between announcements",
    help: "How often callers are told how things stand: 15 to 600, or 0 for never",
    min: 0,
    max: 600,
  },
  { kind: "switch", name: "announce_position", label: "Tell callers their place", unless: (queue) => queue.announce_seconds === 0 },
  {
    kind: "switch",
    name: "announce_wait",
    label: "Tell callers how long it will take",
    help: "As soon as that can be said",
    unless: (queue) => queue.announce_seconds === 0,
  },
  { kind: "select", name: "language", label: "Language", options: LANGUAGES },
  { kind: "number", name: "most_waiting", label: "Most callers who wait", min: 1, max: 100 },
  { kind: "number", name: "longest_wait_seconds", label: "Longest wait, in seconds", min: 10, max: 7200 },
  {
    kind: "text",
    name: "overflow_to",
    label: "Then, and when it is full",
    nullable: true,
    help: "An extension or a number; empty: callers are told so, and the call ends",
  },
  { kind: "text", name: "leave_key", label: "Key to wait no longer", help: "Leads there at once; empty: there is none" },
  { kind: "switch", name: "waits_for_agents", label: "Wait also while nobody is logged in" },
  {
    kind: "text",
    name: "nobody_to",
    label: "While nobody is logged in",
    nullable: true,
    help: "An extension or a number; empty: as when it is full",
    unless: (queue) => queue.waits_for_agents,
  },
];

interface Props {
  site: Site;
  queue: CallQueue;
  isNew: boolean;
  people: { value: string; label: string }[];
  onClose: () => void;
}

export function QueueEditorForm({ site, queue, isNew, people, onClose }: Props) {
  const draft = usePart<CallQueue>({
    siteId: site.id,
    part: queuePart(queue.service_id),
    initial: queue,
    isNew,
    check: wrongWith,
    onSaved: (saved) => {
      tellDone(`${saved.name} was saved and is being published`);
      onClose();
    },
  });
  const { aliases, supervisors, permission } = draft.values;
  const permissions = PERMISSIONS.map(({ value, label }): { value: string; label: string } => ({ value, label }));
  const unlisted = permission && !permissions.some((one) => one.value === permission) ? [{ value: permission, label: permission }] : [];
  return (
    <FormDrawer
      title={isNew ? "New call queue" : `Call queue ${queue.name}`}
      saveLabel={isNew ? "Add call queue" : "Save"}
      draft={draft}
      onClose={onClose}
    >
      <TextInput label="Name" description="Agents’ phones show it before the caller’s" data-autofocus {...draft.text("name")} />
      <TextInput label="Number" description="What callers dial" inputMode="numeric" {...draft.text("extension")} />
      <TagsInput
        label="Further numbers and names"
        description="Such as a number of the public network"
        acceptValueOnBlur
        {...draft.field("aliases")}
        value={[...aliases]}
      />
      <Fields draft={draft} fields={[{ kind: "switch", name: "enabled", label: "Switched on" }]} />
      <Fields draft={draft} fields={[{ kind: "select", name: "strategy", label: "Whose phones ring", options: STRATEGIES }]} />
      <QueueEditorAgents draft={draft} people={people} />
      <Fields draft={draft} fields={RINGING} />
      <MultiSelect
        label="Supervisors"
        description="They may listen to the agents’ calls, whisper, and barge in"
        searchable
        data={people}
        value={[...supervisors]}
        error={draft.problemAt("supervisors")}
        onChange={(ids) => draft.set({ supervisors: ids })}
      />
      <Fields draft={draft} fields={WAITING} />
      <MusicInput
        tenantId={site.tenant_id}
        otherwise="that of the site"
        value={draft.values.music ?? null}
        error={draft.problemAt("music")}
        onChange={(music) => draft.set({ music })}
      />
      <QueueEditorCallBack draft={draft} />
      <Select
        label="Permission that callers need"
        description="Empty: none, also from outside"
        data={[...permissions, ...unlisted]}
        clearable
        value={permission ?? null}
        error={draft.problemAt("permission")}
        onChange={(value) => draft.set({ permission: value })}
      />
    </FormDrawer>
  );
}
