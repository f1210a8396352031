/** What a user has mailed when a message was left. */
import { Alert, Button, Fieldset, Group, Select, SimpleGrid, Stack, Switch, TextInput } from "@mantine/core";
import { useState } from "react";

import { api, bodyOf } from "../api/client";
import { refresh, useLive } from "../api/live";
import { ProblemError } from "../api/problem";
import type { VoicemailMail } from "../api/types";
import { Loaded } from "../shell/Page";
import { tellDone } from "../shell/notices";

const RECORDINGS = [
  { value: "none", label: "Only that there is one" },
  { value: "link", label: "With a link to the recording" },
  { value: "attach", label: "With the recording attached" },
];
const FORMATS = [
  { value: "full", label: "Full" },
  { value: "medium", label: "Medium" },
  { value: "brief", label: "Brief" },
];

export function MailForm({ userId }: { userId: string }) {
  const params = { path: { user_id: userId } };
  const key = ["messages-mail", userId];
  const mail = useLive(key, (init) => api.GET("/users/{user_id}/mailbox/mail", { ...init, params }), { poll: false });
  return <Loaded query={mail}>{(saved) => <Form key={JSON.stringify(saved)} saved={saved} userId={userId} />}</Loaded>;
}

function Form({ saved, userId }: { saved: VoicemailMail; userId: string }) {
  const [mail, setMail] = useState(saved);
  const [problem, setProblem] = useState("");
  const [saving, setSaving] = useState(false);
  const set = (changes: Partial<VoicemailMail>) => setMail({ ...mail, ...changes });
  const save = async () => {
    setSaving(true);
    setProblem("");
    try {
      const params = { path: { user_id: userId } };
      await bodyOf(api.PUT("/users/{user_id}/mailbox/mail", { params, body: mail }));
      await refresh(["messages-mail", userId]);
      tellDone("The mail settings were saved");
    } catch (error) {
      if (!(error instanceof ProblemError)) throw error;
      setProblem([...error.fields.values()].join(". ") || error.message);
    } finally {
      setSaving(false);
    }
  };
  return (
    <Fieldset legend="Mail me messages" miw={0}>
      <Stack gap="sm">
        <TextInput
          label="Mail address"
          description="Empty: nothing is mailed"
          type="email"
          value={mail.email ?? ""}
          onChange={(event) => set({ email: event.currentTarget.value.trim() || null })}
        />
        <SimpleGrid cols={{ base: 1, xs: 2 }}>
          <Select
            label="Recording"
            data={RECORDINGS}
            allowDeselect={false}
            value={mail.recording}
            onChange={(value) => {
              const recording = (value ?? "none") as VoicemailMail["recording"];
              set({ recording, delete_after: recording === "attach" && mail.delete_after });
            }}
          />
          <Select
            label="How much is said"
            data={FORMATS}
            allowDeselect={false}
            value={mail.format}
            onChange={(value) => set({ format: (value ?? "full") as VoicemailMail["format"] })}
          />
        </SimpleGrid>
        <Switch
          label="Delete the message once it was mailed"
          disabled={mail.recording !== "attach"}
          checked={mail.delete_after}
          onChange={(event) => set({ delete_after: event.currentTarget.checked })}
        />
        {problem ? (
          <Alert color="red" role="alert">
            {problem}
          </Alert>
        ) : null}
        <Group justify="flex-end">
          <Button variant="default" loading={saving} onClick={() => void save()}>
            Save mail settings
          </Button>
        </Group>
      </Stack>
    </Fieldset>
  );
}
