/** A user's mailbox: whether there is a PIN, a new one, and the greeting that callers hear. */
import { Alert, Button, Fieldset, Group, PasswordInput, Select, Stack, Text } from "@mantine/core";
import { useState } from "react";

import { api, bodyOf } from "../api/client";
import { refresh, useLive } from "../api/live";
import { ProblemError } from "../api/problem";
import type { Greeting, User } from "../api/types";
import { tellDone } from "../shell/notices";
import { OwnLists } from "../voicemail/OwnLists";
import { GREETINGS } from "../voicemail/voicemailText";

export function UserMailbox({ user }: { user: Pick<User, "id"> }) {
  const params = { path: { user_id: user.id } };
  const key = ["mailbox", user.id];
  const mailbox = useLive(key, (init) => api.GET("/users/{user_id}/mailbox", { ...init, params }), { poll: false });
  const [pin, setPin] = useState("");
  const [problem, setProblem] = useState<string | null>(null);
  const [saving, setSaving] = useState(false);
  if (!mailbox.data?.has_mailbox) return null;

  const save = async (body: { pin?: string; greeting?: Greeting }, done: string) => {
    setSaving(true);
    setProblem(null);
    try {
      await bodyOf(api.PATCH("/users/{user_id}/mailbox", { params, body }));
      await refresh(key);
      setPin("");
      tellDone(done);
    } catch (error) {
      if (!(error instanceof ProblemError)) throw error;
      setProblem([...error.fields.values()].join(". ") || error.detail || error.title);
    } finally {
      setSaving(false);
    }
  };
  return (
    <Fieldset legend="Mailbox" miw={0}>
      <Stack gap="sm">
        <Text size="sm" c="dimmed">
          {mailbox.data.pin_set
            ? "There is a PIN, by which the mailbox is reached from other phones."
            : "There is no PIN: the mailbox is reached from the user’s own phones only."}
        </Text>
        <Group align="flex-end" gap="xs">
          <PasswordInput
            label="New PIN"
            description="4 to 16 digits"
            inputMode="numeric"
            autoComplete="off"
            value={pin}
            onChange={(event) => setPin(event.currentTarget.value)}
            style={{ flex: 1 }}
          />
          <Button variant="default" loading={saving} disabled={!pin} onClick={() => void save({ pin }, "The PIN was set")}>
            Set PIN
          </Button>
        </Group>
        {problem ? (
          <Alert color="red" role="alert">
            {problem}
          </Alert>
        ) : null}
        <Select
          label="Greeting in use"
          description="One that was never recorded is the system’s"
          data={GREETINGS}
          allowDeselect={false}
          value={mailbox.data.greeting}
          onChange={(greeting) => void save({ greeting: (greeting ?? "standard") as Greeting }, "The greeting was chosen")}
        />
        <OwnLists userId={user.id} />
      </Stack>
    </Fieldset>
  );
}
