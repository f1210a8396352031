/** A site's phonebook: whose names are shown when they call. */
import { Button, Group, Stack, TagsInput, Text, TextInput } from "@mantine/core";
import { useState } from "react";

import { api, bodyOf, ifMatch } from "../api/client";
import { refresh, useLiveAll } from "../api/live";
import type { PhonebookEntry, Site } from "../api/types";
import { FormDrawer } from "../forms/FormDrawer";
import { useDraft } from "../forms/useDraft";
import { Confirm } from "../shell/Confirm";
import { DataTable } from "../shell/DataTable";
import { Empty, Loaded } from "../shell/Page";
import { RowActions } from "../shell/RowActions";
import { SearchIcon } from "../shell/icons";
import { tellDone } from "../shell/notices";

export function PhonebookTab({ site }: { site: Site }) {
  const path = { site_id: site.id };
  const entries = useLiveAll<PhonebookEntry>(["phonebook", site.id], (init, cursor) =>
    api.GET("/sites/{site_id}/phonebook", { ...init, params: { path, query: { limit: 200, cursor } } }),
  );
  const [edited, setEdited] = useState<PhonebookEntry | "new" | null>(null);
  const [deleted, setDeleted] = useState<PhonebookEntry | null>(null);
  const [search, setSearch] = useState("");
  const wanted = search.trim().toLocaleLowerCase();
  const newButton = <Button onClick={() => setEdited("new")}>New entry</Button>;
  return (
    <Stack>
      <Group justify="space-between">
        <TextInput
          aria-label="Search the phonebook"
          placeholder="Search name or number"
          leftSection={<SearchIcon size={16} />}
          value={search}
          onChange={(event) => setSearch(event.currentTarget.value)}
          flex={1}
          maw={300}
          miw={160}
        />
        {newButton}
      </Group>
      <Loaded query={entries}>
        {(all) =>
          all.length === 0 ? (
            <div className="card">
              <Empty title="Nobody is in the phonebook yet">
                Phones show the name of an entry when one of its numbers calls, and find it by name.
              </Empty>
            </div>
          ) : (
            <DataTable
              label="Phonebook"
              rows={all.filter((one) => [one.name, ...one.numbers].join("\n").toLocaleLowerCase().includes(wanted))}
              rowKey={(one) => one.id}
              columns={[
                {
                  title: "Name",
                  cell: (one) => (
                    <Text size="sm" fw={550}>
                      {one.name}
                    </Text>
                  ),
                },
                { title: "Numbers", cell: (one) => <span className="mono wrap-anywhere">{one.numbers.join(", ")}</span> },
                {
                  title: "",
                  align: "right",
                  cell: (one) => (
                    <RowActions name={one.name} onEdit={() => setEdited(one)} onDelete={() => setDeleted(one)} />
                  ),
                },
              ]}
            />
          )
        }
      </Loaded>
      {edited ? (
        <EntryForm site={site} entry={edited === "new" ? undefined : edited} onClose={() => setEdited(null)} />
      ) : null}
      {deleted ? (
        <Confirm
          title={`Delete ${deleted.name}?`}
          action="Delete entry"
          run={async () => {
            const params = { path: { ...path, entry_id: deleted.id }, header: ifMatch(deleted.version) };
            await bodyOf(api.DELETE("/sites/{site_id}/phonebook/{entry_id}", { params }));
            await refresh(["phonebook", site.id]);
            tellDone(`${deleted.name} was deleted`);
          }}
          onClose={() => setDeleted(null)}
        >
          The name is not shown any more when one of its numbers calls.
        </Confirm>
      ) : null}
    </Stack>
  );
}

function EntryForm({ site, entry, onClose }: { site: Site; entry?: PhonebookEntry; onClose: () => void }) {
  const path = { site_id: site.id };
  const draft = useDraft({
    initial: { name: entry?.name ?? "", numbers: entry?.numbers ?? [] },
    version: entry?.version,
    save: async (values, changes, version) => {
      if (entry) {
        const params = { path: { ...path, entry_id: entry.id }, header: ifMatch(version) };
        await bodyOf(api.PATCH("/sites/{site_id}/phonebook/{entry_id}", { params, body: changes }));
      } else {
        await bodyOf(api.POST("/sites/{site_id}/phonebook", { params: { path }, body: values }));
      }
      await refresh(["phonebook", site.id]);
      tellDone(`${values.name} was saved`);
      onClose();
    },
    reload: async () => {
      const page = await bodyOf(api.GET("/sites/{site_id}/phonebook", { params: { path, query: { limit: 200 } } }));
      const saved = page.items.find((one) => one.id === entry?.id) ?? entry;
      return { values: { name: saved?.name ?? "", numbers: saved?.numbers ?? [] }, version: saved?.version ?? 0 };
    },
  });
  return (
    <FormDrawer
      title={entry ? `Edit ${entry.name}` : "New entry"}
      saveLabel={entry ? "Save" : "Add entry"}
      draft={draft}
      onClose={onClose}
    >
      <TextInput label="Name" data-autofocus {...draft.text("name")} />
      <TagsInput label="Numbers" description="Up to eight; Enter adds one" acceptValueOnBlur {...draft.field("numbers")} />
    </FormDrawer>
  );
}
