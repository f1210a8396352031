/** A site's users with their live registration. */
import { Anchor, Badge, Button, Group, Switch, Text, TextInput } from "@mantine/core";
import { useState } from "react";

import { api, bodyOf, ifMatch } from "../api/client";
import { refresh } from "../api/live";
import type { Site, User } from "../api/types";
import { HandlingDrawer } from "../handling/HandlingDrawer";
import { Confirm } from "../shell/Confirm";
import { DataTable, type Column } from "../shell/DataTable";
import { Empty, Loaded } from "../shell/Page";
import { RowActions } from "../shell/RowActions";
import { PlusIcon, SearchIcon } from "../shell/icons";
import { tellDone, tellProblem } from "../shell/notices";
import { RegistrationState } from "./RegistrationState";
import { UserForm } from "./UserForm";
import { useRegistrations, useUsers } from "./useUsers";

export function UsersTab({ site }: { site: Site }) {
  const users = useUsers(site.id);
  const registrations = useRegistrations(site.id);
  const [search, setSearch] = useState("");
  const [edited, setEdited] = useState<User | "new" | null>(null);
  const [deleted, setDeleted] = useState<User | null>(null);
  const [opened, setOpened] = useState<User | null>(null);

  const columns: Column<User>[] = [
    {
      title: "User",
      cell: (user) => (
        <Anchor component="button" type="button" className="row-link" onClick={() => setEdited(user)}>
          {user.display_name || user.username}
        </Anchor>
      ),
    },
    { title: "Extension", cell: (user) => user.extension ?? <Text c="dimmed">—</Text> },
    {
      title: "Username and aliases",
      cell: (user) => (
        <Group gap={4}>
          <span className="mono">{user.username}</span>
          {user.aliases.map((alias) => (
            <Badge key={alias} color="gray">
              {alias}
            </Badge>
          ))}
        </Group>
      ),
    },
    {
      title: "Phones",
      cell: (user) => (
        <RegistrationState registrations={registrations.data?.filter((one) => one.user_id === user.id) ?? []} />
      ),
    },
    { title: "Enabled", cell: (user) => <EnabledSwitch user={user} /> },
    {
      title: "",
      align: "right",
      cell: (user) => (
        <RowActions
          name={user.display_name || user.username}
          onOpen={() => setOpened(user)}
          onEdit={() => setEdited(user)}
          onDelete={() => setDeleted(user)}
        />
      ),
    },
  ];
  const newButton = (
    <Button leftSection={<PlusIcon size={16} />} onClick={() => setEdited("new")}>
      New user
    </Button>
  );
  return (
    <>
      <Loaded query={users}>
        {(all) =>
          all.length === 0 ? (
            <div className="card">
              <Empty title="No users yet" action={newButton}>
                A user is a person, a room or a door that calls are made by and for. Create one, then give it a device.
              </Empty>
            </div>
          ) : (
            <>
              <Group justify="space-between" mb="sm">
                <TextInput
                  aria-label="Search users"
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
              <DataTable
                label="Users"
                columns={columns}
                rows={all.filter((user) => fits(user, search))}
                rowKey={(user) => user.id}
              />
            </>
          )
        }
      </Loaded>
      {edited !== null ? (
        <UserForm site={site} user={edited === "new" ? undefined : edited} onClose={() => setEdited(null)} />
      ) : null}
      {opened ? <HandlingDrawer site={site} user={opened} onClose={() => setOpened(null)} /> : null}
      {deleted ? (
        <Confirm
          title={`Delete ${deleted.display_name || deleted.username}?`}
          action="Delete user"
          run={async () => {
            const params = { path: { user_id: deleted.id }, header: ifMatch(deleted.version) };
            await bodyOf(api.DELETE("/users/{user_id}", { params }));
            await refresh(["users", site.id], ["devices", site.id]);
            tellDone("The user was deleted");
          }}
          onClose={() => setDeleted(null)}
        >
          The user's lines are deleted with it and its phones stop registering. Call records stay.
        </Confirm>
      ) : null}
    </>
  );
}

function fits(user: User, search: string): boolean {
  const names = [user.display_name, user.username, user.extension ?? "", ...user.aliases];
  return names.join("\n").toLocaleLowerCase().includes(search.trim().toLocaleLowerCase());
}

function EnabledSwitch({ user }: { user: User }) {
  const [saving, setSaving] = useState(false);
  const change = async (enabled: boolean) => {
    setSaving(true);
    try {
      const params = { path: { user_id: user.id }, header: ifMatch(user.version) };
      await bodyOf(api.PATCH("/users/{user_id}", { params, body: { enabled } }));
    } catch (error) {
      tellProblem(error);
    } finally {
      await refresh(["users", user.site_id]);
      setSaving(false);
    }
  };
  return (
    <Switch
      size="sm"
      checked={user.enabled}
      disabled={saving}
      onChange={(event) => void change(event.currentTarget.checked)}
      aria-label={`${user.display_name || user.username} is enabled`}
    />
  );
}
