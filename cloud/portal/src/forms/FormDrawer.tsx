/** The panel in which something is made or edited: its fields, what is wrong, and the way out. */
import { Alert, Button, Drawer, Group, List, ScrollArea, Stack } from "@mantine/core";
import type { ReactNode } from "react";

import type { Draft } from "./useDraft";

interface Props<V> {
  title: string;
  draft: Draft<V>;
  onClose: () => void;
  /** What the saving button says, such as “Create user”. */
  saveLabel?: string;
  children: ReactNode;
}

export function FormDrawer<V>({ title, draft, onClose, saveLabel = "Save", children }: Props<V>) {
  return (
    <Drawer
      opened
      onClose={onClose}
      title={title}
      position="right"
      size="lg"
      scrollAreaComponent={ScrollArea.Autosize}
      closeButtonProps={{ "aria-label": "Close" }}
      closeOnClickOutside={!draft.isTouched}
    >
      <form onSubmit={draft.submit} noValidate aria-label={title}>
        <Stack gap="md">
          {children}
          <FormProblems draft={draft} />
          <Group justify="flex-end" mt="xs">
            <Button variant="default" onClick={onClose}>
              Cancel
            </Button>
            <Button type="submit" loading={draft.saving}>
              {saveLabel}
            </Button>
          </Group>
        </Stack>
      </form>
    </Drawer>
  );
}

/** What is wrong with the whole, above the buttons. */
export function FormProblems<V>({ draft }: { draft: Draft<V> }) {
  if (draft.conflict) {
    return (
      <Alert color="yellow" title="Changed by someone else meanwhile" role="alert">
        <Stack gap="xs" align="flex-start">
          Nothing was saved. Reload to see the newest values; what you typed stays.
          <Button size="xs" variant="default" onClick={() => void draft.takeOver()}>
            Reload
          </Button>
        </Stack>
      </Alert>
    );
  }
  if (draft.problems.length === 0) return null;
  return (
    <Alert color="red" title="This was not saved" role="alert">
      {draft.problems.length === 1 ? (
        draft.problems[0]
      ) : (
        <List size="sm">
          {draft.problems.map((line) => (
            <List.Item key={line}>{line}</List.Item>
          ))}
        </List>
      )}
    </Alert>
  );
}
