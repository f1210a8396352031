/** The panel in which one part of a dial plan is edited; it is saved with the whole plan. */
import { Alert, Button, Drawer, Group, ScrollArea, Stack } from "@mantine/core";
import { useState, type FormEvent, type ReactNode } from "react";

interface Props {
  title: string;
  /** What the button says. */
  action: string;
  /** What is wrong with what was typed; null: take it over. */
  check: () => string | null;
  onDone: () => void;
  onClose: () => void;
  children: ReactNode;
}

export function PlanPanel({ title, action, check, onDone, onClose, children }: Props) {
  const [wrong, setWrong] = useState<string | null>(null);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    const found = check();
    setWrong(found);
    if (found === null) onDone();
  };
  return (
    <Drawer
      opened
      onClose={onClose}
      title={title}
      position="right"
      size="lg"
      scrollAreaComponent={ScrollArea.Autosize}
      closeButtonProps={{ "aria-label": "Close" }}
    >
      <form onSubmit={submit} noValidate aria-label={title}>
        <Stack gap="md">
          {children}
          {wrong ? (
            <Alert color="red" role="alert">
              {wrong}
            </Alert>
          ) : null}
          <Group justify="flex-end">
            <Button variant="default" onClick={onClose}>
              Cancel
            </Button>
            <Button type="submit">{action}</Button>
          </Group>
        </Stack>
      </form>
    </Drawer>
  );
}
