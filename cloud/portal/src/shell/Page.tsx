/** What every page has: a title that the browser's tab shares, its actions, and honest states while there is no data. */
import { Alert, Button, Center, Group, Loader, Stack, Text, Title } from "@mantine/core";
import { useDocumentTitle } from "@mantine/hooks";
import type { ReactNode } from "react";

interface PageProps {
  title: string;
  /** Above the title: where this page belongs. */
  trail?: ReactNode;
  /** Beside the title, such as a state. */
  beside?: ReactNode;
  actions?: ReactNode;
  children: ReactNode;
}

export function Page({ title, trail, beside, actions, children }: PageProps) {
  useDocumentTitle(`${title} · Tandem`);
  return (
    <Stack gap="md">
      <Group justify="space-between" align="flex-end" gap="sm">
        <Stack gap={2}>
          {trail ? (
            <Text size="sm" c="dimmed" component="div">
              {trail}
            </Text>
          ) : null}
          <Group gap="md">
            <Title order={1}>{title}</Title>
            {beside}
          </Group>
        </Stack>
        {actions ? <Group gap="xs">{actions}</Group> : null}
      </Group>
      {children}
    </Stack>
  );
}

/** Nothing is here yet: what it would be, and how to get it. */
export function Empty({ title, children, action }: { title: string; children?: ReactNode; action?: ReactNode }) {
  return (
    <Center py={48} px="md">
      <Stack align="center" gap="xs" maw={460}>
        <Text fw={600}>{title}</Text>
        {children ? (
          <Text c="dimmed" size="sm" ta="center">
            {children}
          </Text>
        ) : null}
        {action}
      </Stack>
    </Center>
  );
}

interface LoadedProps<T> {
  /** A query's data and error; old data stays while the server cannot be reached. */
  query: { data: T | undefined; error: Error | null; refetch: () => unknown };
  children: (data: T) => ReactNode;
}

/** The data, or why there is none. */
export function Loaded<T>({ query, children }: LoadedProps<T>) {
  if (query.error && query.data === undefined) {
    return (
      <Alert color="red" title={query.error.message} role="alert">
        <Button size="xs" variant="default" onClick={() => void query.refetch()}>
          Try again
        </Button>
      </Alert>
    );
  }
  if (query.data === undefined) {
    return (
      <Center py={64}>
        <Loader aria-label="Loading" />
      </Center>
    );
  }
  return (
    <>
      {query.error ? (
        <Alert color="yellow" title={query.error.message} role="status" mb="sm">
          This is what was known before; it is tried again.
        </Alert>
      ) : null}
      {children(query.data)}
    </>
  );
}
