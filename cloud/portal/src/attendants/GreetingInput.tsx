/** What is said: standard words, a text, a sound file, or what is recorded by telephone. */
import { Button, FileButton, Group, Select, Stack, Text, Textarea } from "@mantine/core";
import { useState } from "react";

import type { AttendantGreeting as Greeting } from "../api/types";
import { keepSound } from "../sounds/useSounds";
import { GREETINGS, PHRASES } from "./attendant";

interface Props {
  label: string;
  tenantId: string;
  value: Greeting;
  onChange: (value: Greeting) => void;
  /** Announcements are not recorded by telephone. */
  recordable?: boolean;
}

export function GreetingInput({ label, tenantId, value, onChange, recordable = true }: Props) {
  const change = (kind: Greeting["kind"]) => {
    if (kind === "standard") onChange({ kind, phrase: "welcome" });
    else if (kind === "spoken") onChange({ kind, text: "" });
    else if (kind === "uploaded") onChange({ kind, digest: "", name: "" });
    else onChange({ kind });
  };
  return (
    <Stack gap="xs">
      <Select
        label={label}
        allowDeselect={false}
        data={recordable ? GREETINGS : GREETINGS.filter((one) => one.value !== "recorded")}
        value={value.kind}
        onChange={(kind) => change((kind ?? "standard") as Greeting["kind"])}
      />
      {value.kind === "standard" ? (
        <Select
          aria-label="Standard words"
          allowDeselect={false}
          data={PHRASES}
          value={value.phrase}
          onChange={(phrase) => onChange({ kind: "standard", phrase: (phrase ?? "welcome") as typeof value.phrase })}
        />
      ) : null}
      {value.kind === "spoken" ? (
        <Textarea
          aria-label="Text"
          placeholder="Welcome to our shop. For sales, press 1."
          autosize
          minRows={2}
          maxLength={2000}
          value={value.text}
          onChange={(event) => onChange({ kind: "spoken", text: event.currentTarget.value.replace(/\s*\n\s*/g, " ") })}
        />
      ) : null}
      {value.kind === "uploaded" ? <SoundFile tenantId={tenantId} value={value} onChange={onChange} /> : null}
      {value.kind === "recorded" ? (
        <Text size="sm" c="dimmed">
          Call the attendant from your own phone, press *# in this menu, then 1. It needs the permission to record greetings.
        </Text>
      ) : null}
    </Stack>
  );
}

interface FileProps {
  tenantId: string;
  value: Extract<Greeting, { kind: "uploaded" }>;
  onChange: (value: Greeting) => void;
}

function SoundFile({ tenantId, value, onChange }: FileProps) {
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<string | null>(null);
  const take = async (file: File | null) => {
    if (!file) return;
    setBusy(true);
    setProblem(null);
    try {
      const { digest, name } = await keepSound(file, tenantId);
      onChange({ kind: "uploaded", digest, name });
    } catch (error) {
      setProblem(error instanceof Error ? error.message : String(error));
    } finally {
      setBusy(false);
    }
  };
  return (
    <Stack gap={4}>
      <Group gap="sm">
        <FileButton onChange={(file) => void take(file)} accept="audio/*" inputProps={{ "aria-label": "Sound file" }}>
          {(props) => (
            <Button {...props} size="compact-sm" variant="default" loading={busy}>
              Choose a sound file
            </Button>
          )}
        </FileButton>
        <Text size="sm">{value.digest ? value.name || value.digest.slice(0, 12) : "none yet"}</Text>
      </Group>
      {problem ? (
        <Text size="sm" c="red" role="alert">
          {problem}
        </Text>
      ) : null}
    </Stack>
  );
}
