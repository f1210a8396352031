/** Secrets that the API shows once: they are copied now or made anew later. */
import { Alert, Button, Group, Modal, Stack } from "@mantine/core";

import { Copyable } from "./Copyable";

interface Props {
  title: string;
  /** Why and where they are needed. */
  text: string;
  secrets: readonly { label: string; value: string }[];
  onClose: () => void;
}

export function ShownOnce({ title, text, secrets, onClose }: Props) {
  return (
    <Modal opened onClose={onClose} title={title} size="lg" closeOnClickOutside={false}>
      <Stack>
        <Alert color="yellow">{text} This is shown only now.</Alert>
        {secrets.map(({ label, value }) => (
          <Copyable key={label} label={label} text={value} />
        ))}
        <Group justify="flex-end">
          <Button onClick={onClose}>Done</Button>
        </Group>
      </Stack>
    </Modal>
  );
}
