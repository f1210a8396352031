/** Distribution lists that everybody of a site can send a message to. */
import { Button, Modal, MultiSelect, Stack, Text, TextInput } from "@mantine/core";
import { useState } from "react";

import { api, bodyOf, ifMatch } from "../api/client";
import { refresh } from "../api/live";
import { ProblemError } from "../api/problem";
import type { Site, VoicemailList } from "../api/types";
import { useDialPlan } from "../dialplan/useDialPlan";
import { DataTable } from "../shell/DataTable";
import { RowActions } from "../shell/RowActions";
import { tellDone, tellProblem } from "../shell/notices";
import { Card } from "../sites/OverviewTab";
import { useUsers } from "../users/useUsers";

type Edited = { list: VoicemailList; place: number };

export function SiteLists({ site }: { site: Site }) {
  const users = useUsers(site.id, { poll: false });
  const plan = useDialPlan(site.id);
  const [edited, setEdited] = useState<Edited | null>(null);
  const lists = site.voicemail.lists;
  const groups = (plan.data?.document.voice_services ?? []).filter((one) => one.kind === "mailbox");
  const mailboxes = [
    ...(users.data ?? []).map((one) => ({ value: one.id, label: one.display_name || one.username })),
    ...groups.map((one) => ({ value: one.service_id, label: one.name })),
  ];
  const nameOf = (id: string) => mailboxes.find((one) => one.value === id)?.label ?? "somebody who is gone";
  const save = async (wanted: VoicemailList[], done: string) => {
    const params = { path: { site_id: site.id }, header: ifMatch(site.version) };
    await bodyOf(api.PATCH("/sites/{site_id}", { params, body: { voicemail: { lists: wanted } } }));
    await refresh(["sites"]);
    tellDone(done);
  };
  return (
    <Card
      title="Distribution lists"
      actions={
        <Button
          size="compact-sm"
          variant="default"
          aria-label="Add a distribution list"
          onClick={() => setEdited({ list: { number: "", name: "", members: [] }, place: lists.length })}
        >
          Add
        </Button>
      }
    >
      {lists.length === 0 ? (
        <Text size="sm" c="dimmed">
          None yet. Everybody can send a message to a list: a star and its number where an extension is asked for.
        </Text>
      ) : (
        <DataTable
          label="Distribution lists"
          rows={lists}
          rowKey={(one) => one.number}
          columns={[
            { title: "Number", cell: (one) => <span className="mono">*{one.number}</span>, width: 110 },
            { title: "Name", cell: (one) => one.name },
            { title: "Mailboxes", cell: (one) => one.members.map(nameOf).join(", ") || "nobody" },
            {
              title: "",
              align: "right",
              cell: (one) => (
                <RowActions
                  name={one.name}
                  onEdit={() => setEdited({ list: one, place: lists.indexOf(one) })}
                  onDelete={() =>
                    void save(lists.filter((each) => each !== one), `${one.name} was deleted`).catch((error: unknown) => tellProblem(error))
                  }
                />
              ),
            },
          ]}
        />
      )}
      {edited ? (
        <ListForm
          edited={edited}
          mailboxes={mailboxes}
          save={(list) =>
            save([...lists.slice(0, edited.place), list, ...lists.slice(edited.place + 1)], `${list.name} was saved and is being published`)
          }
          onClose={() => setEdited(null)}
        />
      ) : null}
    </Card>
  );
}

interface FormProps {
  edited: Edited;
  mailboxes: { value: string; label: string }[];
  save: (list: VoicemailList) => Promise<void>;
  onClose: () => void;
}

function ListForm({ edited, mailboxes, save, onClose }: FormProps) {
  const [list, setList] = useState(edited.list);
  const [problems, setProblems] = useState<ReadonlyMap<string, string>>(new Map());
  const [saving, setSaving] = useState(false);
  const problemAt = (field: string) =>
    [...problems].find(([name]) => name.startsWith(`voicemail.lists.${edited.place}.${field}`))?.[1] ??
    (field === "number" ? problems.get("voicemail") : undefined);
  const submit = async () => {
    setSaving(true);
    try {
      await save({ ...list, members: list.members.filter((one) => mailboxes.some((each) => each.value === one)) });
      onClose();
    } catch (error) {
      if (!(error instanceof ProblemError)) throw error;
      setProblems(error.fields);
      if (error.fields.size === 0) tellProblem(error);
    } finally {
      setSaving(false);
    }
  };
  return (
    <Modal opened onClose={onClose} title={edited.list.name || "New distribution list"}>
      <Stack>
        <TextInput
          label="Name"
          data-autofocus
          value={list.name}
          error={problemAt("name")}
          onChange={(event) => setList({ ...list, name: event.currentTarget.value })}
        />
        <TextInput
          label="Number"
          description="2 to 6 digits; one digit is a user’s own list"
          inputMode="numeric"
          value={list.number}
          error={problemAt("number")}
          onChange={(event) => setList({ ...list, number: event.currentTarget.value.trim() })}
        />
        <MultiSelect
          label="Mailboxes"
          searchable
          maxValues={200}
          data={mailboxes}
          value={[...list.members]}
          error={problemAt("members")}
          onChange={(members) => setList({ ...list, members })}
        />
        <Button loading={saving} disabled={!list.name.trim() || !list.number} onClick={() => void submit()}>
          Save list
        </Button>
      </Stack>
    </Modal>
  );
}
