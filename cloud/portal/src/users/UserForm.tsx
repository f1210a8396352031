/** Making or changing a user, and the lines that it has. */
import { Checkbox, NumberInput, SimpleGrid, Switch, TagsInput, TextInput } from "@mantine/core";

import { api, bodyOf, ifMatch } from "../api/client";
import { refresh } from "../api/live";
import type { OwnMusic, Site, User } from "../api/types";
import { FormDrawer } from "../forms/FormDrawer";
import { useDraft } from "../forms/useDraft";
import { tellDone } from "../shell/notices";
import { MusicInput } from "../sounds/MusicInput";
import { UserLines } from "./UserLines";
import { RoomOfUser } from "../conferences/OwnRooms";
import { UserMailbox } from "./UserMailbox";
import { PERMISSIONS, USUAL } from "./permissions";

interface UserValues {
  display_name: string;
  extension: string;
  username: string;
  aliases: string[];
  email: string;
  permissions: string[];
  caller_id: string;
  anonymous: boolean;
  appearances: number | string;
  music: OwnMusic | null;
  enabled: boolean;
}

const NEW_USER: UserValues = {
  display_name: "",
  extension: "",
  username: "",
  aliases: [],
  email: "",
  permissions: USUAL,
  caller_id: "",
  anonymous: false,
  appearances: 0,
  music: null,
  enabled: true,
};

function valuesOf(user: User): UserValues {
  return {
    display_name: user.display_name,
    extension: user.extension ?? "",
    username: user.username,
    aliases: user.aliases,
    email: user.email ?? "",
    permissions: user.permissions,
    caller_id: user.caller_id ?? "",
    anonymous: user.anonymous,
    appearances: user.appearances,
    music: user.music ?? null,
    enabled: user.enabled,
  };
}

/** What is empty in the form is null in the API. */
function bodyFrom<T extends Partial<UserValues>>(values: T) {
  return {
    ...values,
    ...("extension" in values ? { extension: values.extension || null } : {}),
    ...("email" in values ? { email: values.email || null } : {}),
    ...("caller_id" in values ? { caller_id: values.caller_id || null } : {}),
    appearances: values.appearances === undefined ? undefined : Number(values.appearances),
  };
}

export function UserForm({ site, user, onClose }: { site: Site; user?: User; onClose: () => void }) {
  const draft = useDraft<UserValues>({
    initial: user ? valuesOf(user) : NEW_USER,
    version: user?.version,
    save: async (values, changes, version) => {
      if (user) {
        const params = { path: { user_id: user.id }, header: ifMatch(version) };
        await bodyOf(api.PATCH("/users/{user_id}", { params, body: bodyFrom(changes) }));
        tellDone("The user was saved");
      } else {
        const username = values.username || values.extension;
        await bodyOf(api.POST("/users", { body: { ...bodyFrom(values), username, site_id: site.id } }));
        tellDone(`User ${values.display_name || username} was created`);
      }
      await refresh(["users", site.id]);
      onClose();
    },
    reload: async () => {
      const saved = await bodyOf(api.GET("/users/{user_id}", { params: { path: { user_id: user?.id ?? "" } } }));
      return { values: valuesOf(saved), version: saved.version };
    },
  });
  return (
    <FormDrawer
      title={user ? `Edit ${user.display_name || user.username}` : "New user"}
      saveLabel={user ? "Save" : "Create user"}
      draft={draft}
      onClose={onClose}
    >
      <TextInput label="Display name" description="Phones show it" data-autofocus {...draft.text("display_name")} />
      <SimpleGrid cols={{ base: 1, xs: 2 }}>
        <TextInput label="Extension" description="Digits that are dialed" inputMode="numeric" {...draft.text("extension")} />
        <TextInput
          label="Username"
          description="Of the SIP address"
          placeholder={draft.values.extension}
          autoCapitalize="none"
          {...draft.text("username")}
        />
      </SimpleGrid>
      <TagsInput
        label="Aliases"
        description="Other names and numbers that reach this user; Enter adds one"
        value={draft.values.aliases}
        onChange={(aliases) => draft.set({ aliases })}
        error={draft.problemAt("aliases")}
        acceptValueOnBlur
      />
      <TextInput label="E-mail" type="email" {...draft.text("email")} />
      <Checkbox.Group
        label="Permissions"
        value={draft.values.permissions}
        onChange={(permissions) => draft.set({ permissions })}
        error={draft.problemAt("permissions")}
      >
        <SimpleGrid cols={{ base: 1, xs: 2 }} spacing="xs" mt={6}>
          {PERMISSIONS.map(({ value, label }) => (
            <Checkbox key={value} value={value} label={label} />
          ))}
        </SimpleGrid>
      </Checkbox.Group>
      <TextInput
        label="Caller ID"
        description="What calls to the outside show; empty: what their gateway shows"
        inputMode="tel"
        {...draft.text("caller_id")}
      />
      <Switch
        label="Hide the caller ID"
        description="Calls to the outside show none"
        checked={draft.values.anonymous}
        onChange={(event) => draft.set({ anonymous: event.currentTarget.checked })}
      />
      <NumberInput
        label="Appearances of a shared line"
        description="Calls at one time, seen and taken up at every phone that has the line; 0: the line is not shared"
        min={0}
        max={24}
        clampBehavior="strict"
        value={draft.values.appearances}
        onChange={(appearances) => draft.set({ appearances })}
        error={draft.problemAt("appearances")}
      />
      <MusicInput
        tenantId={site.tenant_id}
        otherwise="for those on hold, that of a group of the user, or of the site"
        value={draft.values.music}
        error={draft.problemAt("music")}
        onChange={(music) => draft.set({ music })}
      />
      <Switch
        label="Enabled"
        description="A disabled user cannot register or call; nothing is lost"
        checked={draft.values.enabled}
        onChange={(event) => draft.set({ enabled: event.currentTarget.checked })}
      />
      {user ? <UserMailbox user={user} /> : null}
      {user ? <RoomOfUser user={user} /> : null}
      {user ? <UserLines user={user} /> : null}
    </FormDrawer>
  );
}
