/** Logging in; the e-mail address is remembered on this machine, nothing else is. */
import { Alert, Button, Center, Group, Paper, PasswordInput, Stack, Text, TextInput, Title } from "@mantine/core";
import { useDocumentTitle } from "@mantine/hooks";
import { useState, type FormEvent } from "react";

import { ProblemError, problemAt } from "../api/problem";
import { SchemeToggle } from "../shell/Frame";
import { logIn, rememberedEmail } from "./session";

export function LogInPage({ ended }: { ended: boolean }) {
  useDocumentTitle("Log in · Tandem");
  const [email, setEmail] = useState(rememberedEmail);
  const [password, setPassword] = useState("");
  const [problem, setProblem] = useState<ProblemError | null>(null);
  const [running, setRunning] = useState(false);

  const submit = async (event: FormEvent) => {
    event.preventDefault();
    setRunning(true);
    setProblem(null);
    try {
      await logIn(email.trim(), password);
    } catch (error) {
      if (!(error instanceof ProblemError)) throw error;
      setProblem(error);
      setRunning(false);
    }
  };
  const known = rememberedEmail() !== "";
  return (
    <Center mih="100dvh" p="md" component="main">
      <Stack w="100%" maw={380} gap="lg">
        <Group justify="center" gap="sm">
          <img src="/tandem.svg" alt="" width={36} height={36} />
          <Title order={1}>Tandem</Title>
        </Group>
        <Paper className="card" p="xl" component="form" onSubmit={(event: FormEvent) => void submit(event)} aria-label="Log in" noValidate>
          <Stack>
            {ended && !problem ? (
              <Alert color="yellow" role="status">
                Your session has ended; log in again.
              </Alert>
            ) : null}
            <TextInput
              label="E-mail"
              type="email"
              name="email"
              autoComplete="username"
              required
              withAsterisk={false}
              value={email}
              onChange={(event) => setEmail(event.currentTarget.value)}
              error={problem ? problemAt(problem.fields, "email") : undefined}
              data-autofocus={!known || undefined}
              autoFocus={!known}
            />
            <PasswordInput
              label="Password"
              name="password"
              autoComplete="current-password"
              required
              withAsterisk={false}
              value={password}
              onChange={(event) => setPassword(event.currentTarget.value)}
              error={problem ? problemAt(problem.fields, "password") : undefined}
              autoFocus={known}
            />
            {problem && problem.fields.size === 0 ? (
              <Alert color="red" role="alert">
                {problem.message}
              </Alert>
            ) : null}
            <Button type="submit" loading={running} fullWidth>
              Log in
            </Button>
          </Stack>
        </Paper>
        <Group justify="space-between">
          <Text size="xs" c="dimmed">
            Telephony for many sites, from one place
          </Text>
          <SchemeToggle />
        </Group>
      </Stack>
    </Center>
  );
}
