/** Why somebody pauses, in words of one's own. */
import { Button, Group, Modal, Stack, TextInput } from "@mantine/core";
import { useState } from "react";

const MOST_CHARACTERS = 60;

interface Props {
  /** Who pauses. */
  name: string;
  onPause: (reason: string) => void;
  onClose: () => void;
}

export function PauseForm({ name, onPause, onClose }: Props) {
  const [reason, setReason] = useState("");
  return (
    <Modal opened onClose={onClose} title={`Pause ${name}`}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          onPause(reason.trim());
          onClose();
        }}
      >
        <Stack>
          <TextInput
            label="Why"
            description="Everybody who sees the queue sees it; empty: it is not said"
            maxLength={MOST_CHARACTERS}
            data-autofocus
            value={reason}
            onChange={(event) => setReason(event.currentTarget.value)}
          />
          <Group justify="flex-end">
            <Button variant="default" onClick={onClose}>
              Cancel
            </Button>
            <Button type="submit">Pause</Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}
