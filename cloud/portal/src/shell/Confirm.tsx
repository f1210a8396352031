/** A question before something that cannot be undone; it says what will be gone and shows why it was refused. */
import { Alert, Button, Group, Modal, Stack } from "@mantine/core";
import { useState, type ReactNode } from "react";

interface Props {
  title: string;
  /** What the button says, such as “Delete user”. */
  action: string;
  run: () => Promise<void>;
  onClose: () => void;
  children: ReactNode;
}

export function Confirm({ title, action, run, onClose, children }: Props) {
  const [running, setRunning] = useState(false);
  const [problem, setProblem] = useState<string | null>(null);
  const confirm = async () => {
    setRunning(true);
    setProblem(null);
    try {
      await run();
      onClose();
    } catch (error) {
      setProblem(error instanceof Error ? error.message : String(error));
      setRunning(false);
    }
  };
  return (
    <Modal opened onClose={onClose} title={title}>
      <Stack>
        <div>{children}</div>
        {problem ? (
          <Alert color="red" role="alert">
            {problem}
          </Alert>
        ) : null}
        <Group justify="flex-end">
          <Button variant="default" onClick={onClose} data-autofocus>
            Cancel
          </Button>
          <Button color="red" loading={running} onClick={() => void confirm()}>
            {action}
          </Button>
        </Group>
      </Stack>
    </Modal>
  );
}
