/** Whose music is heard: a file of the tenant's list, one that is brought now, or whatever stands behind. */
import { Button, FileButton, Group, Select, Stack, Text } from "@mantine/core";
import { useState } from "react";

import type { OwnMusic } from "../api/types";
import { choices } from "./soundText";
import { keepSound, useSounds } from "./useSounds";

interface Props {
  tenantId: string;
  /** What is heard when nothing is chosen. */
  otherwise: string;
  value: OwnMusic | null;
  error?: string;
  onChange: (value: OwnMusic | null) => void;
}

export function MusicInput({ tenantId, otherwise, value, error, onChange }: Props) {
  const sounds = useSounds(tenantId);
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState("");
  const data = choices(sounds.data?.items ?? [], value);
  const take = async (file: File | null) => {
    if (!file) return;
    setBusy(true);
    setProblem("");
    try {
      const kept = await keepSound(file, tenantId);
      onChange({ digest: kept.digest, name: kept.name });
    } catch (failure) {
      setProblem(failure instanceof Error ? failure.message : String(failure));
    } finally {
      setBusy(false);
    }
  };
  return (
    <Stack gap={4}>
      <Group align="end" gap="xs" wrap="nowrap">
        <Select
          label="Music"
          description={`None chosen: ${otherwise}`}
          placeholder="None chosen"
          searchable
          clearable
          clearButtonProps={{ "aria-label": "Choose no music" }}
          flex={1}
          miw={0}
          data={data}
          value={value?.digest ?? null}
          error={problem || error}
          onChange={(digest) => {
            const name = sounds.data?.items.find((one) => one.digest === digest)?.name;
            onChange(digest ? { digest, name: name ?? value?.name ?? "" } : null);
          }}
        />
        <FileButton onChange={(file) => void take(file)} accept="audio/*" inputProps={{ "aria-label": "File of music" }}>
          {(props) => (
            <Button {...props} variant="default" loading={busy}>
              Upload
            </Button>
          )}
        </FileButton>
      </Group>
      {value ? (
        <Text size="xs" c="dimmed">
          It is heard again and again, also while the cloud is away.
        </Text>
      ) : null}
    </Stack>
  );
}
