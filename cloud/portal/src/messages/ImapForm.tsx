/** The IMAP mailbox that a user has messages put into when they were left. */
import { Alert, Button, Fieldset, Group, NumberInput, PasswordInput, Select, SimpleGrid, Stack, Switch, TextInput } from "@mantine/core";
import { useState } from "react";

import { api, bodyOf } from "../api/client";
import { refresh, useLive } from "../api/live";
import { ProblemError } from "../api/problem";
import type { VoicemailImap } from "../api/types";
import { Loaded } from "../shell/Page";
import { tellDone } from "../shell/notices";

const SECURITIES = [
  { value: "tls", label: "TLS" },
  { value: "starttls", label: "STARTTLS" },
];
const PORTS = { tls: 993, starttls: 143 };

export function ImapForm({ userId }: { userId: string }) {
  const params = { path: { user_id: userId } };
  const key = ["messages-imap", userId];
  const imap = useLive(key, (init) => api.GET("/users/{user_id}/mailbox/imap", { ...init, params }), { poll: false });
  return <Loaded query={imap}>{(saved) => <Form key={JSON.stringify(saved)} saved={saved} userId={userId} />}</Loaded>;
}

function Form({ saved, userId }: { saved: VoicemailImap; userId: string }) {
  const [imap, setImap] = useState(saved);
  const [password, setPassword] = useState("");
  const [wrong, setWrong] = useState<ReadonlyMap<string, string>>(new Map());
  const [problem, setProblem] = useState("");
  const [saving, setSaving] = useState(false);
  const set = (changes: Partial<VoicemailImap>) => setImap({ ...imap, ...changes });
  const save = async () => {
    setSaving(true);
    setProblem("");
    setWrong(new Map());
    try {
      const params = { path: { user_id: userId } };
      const { host, port, security, username, folder, delete_after } = imap;
      const body = { host, port, security, username, folder, delete_after, password: password || null };
      await bodyOf(api.PUT("/users/{user_id}/mailbox/imap", { params, body }));
      setPassword("");
      await refresh(["messages-imap", userId]);
      tellDone("The IMAP mailbox was saved");
    } catch (error) {
      if (!(error instanceof ProblemError)) throw error;
      setWrong(error.fields);
      if (error.fields.size === 0) setProblem(error.message);
    } finally {
      setSaving(false);
    }
  };
  return (
    <Fieldset legend="Put messages into an IMAP mailbox" miw={0}>
      <Stack gap="sm">
        {saved.problem ? (
          <Alert color="red" title="The last message was not taken">
            {saved.problem}
          </Alert>
        ) : null}
        <SimpleGrid cols={{ base: 1, xs: 3 }}>
          <TextInput
            label="Mail server"
            description="Empty: nowhere"
            value={imap.host ?? ""}
            error={wrong.get("host")}
            onChange={(event) => set({ host: event.currentTarget.value.trim() || null })}
          />
          <Select
            label="Encryption"
            description="Always"
            data={SECURITIES}
            allowDeselect={false}
            value={imap.security}
            onChange={(value) => {
              const security = (value ?? "tls") as VoicemailImap["security"];
              set({ security, port: PORTS[security] });
            }}
          />
          <NumberInput
            label="Port"
            description="Usually 993 or 143"
            min={1}
            max={65535}
            value={imap.port}
            error={wrong.get("port")}
            onChange={(value) => set({ port: Number(value) || PORTS[imap.security] })}
          />
        </SimpleGrid>
        <SimpleGrid cols={{ base: 1, xs: 2 }}>
          <TextInput
            label="Account"
            autoComplete="off"
            value={imap.username}
            error={wrong.get("username")}
            onChange={(event) => set({ username: event.currentTarget.value.trim() })}
          />
          <PasswordInput
            label="Password of the account"
            autoComplete="new-password"
            placeholder={saved.host ? "As it is" : ""}
            value={password}
            error={wrong.get("password")}
            onChange={(event) => setPassword(event.currentTarget.value)}
          />
        </SimpleGrid>
        <TextInput
          label="Folder"
          description="It is made where it is not there"
          value={imap.folder}
          error={wrong.get("folder")}
          onChange={(event) => set({ folder: event.currentTarget.value })}
        />
        <Switch
          label="Delete the message once it was put there with its recording"
          checked={imap.delete_after}
          onChange={(event) => set({ delete_after: event.currentTarget.checked })}
        />
        {problem ? (
          <Alert color="red" role="alert">
            {problem}
          </Alert>
        ) : null}
        <Group justify="flex-end">
          <Button variant="default" loading={saving} onClick={() => void save()}>
            Save IMAP mailbox
          </Button>
        </Group>
      </Stack>
    </Fieldset>
  );
}
