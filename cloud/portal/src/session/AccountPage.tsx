/** My account: who I am here, and a new password. */
import { Button, Group, Paper, PasswordInput, SimpleGrid, Stack, Text, Title } from "@mantine/core";

import { api, bodyOf } from "../api/client";
import type { Account } from "../api/types";
import { FormProblems } from "../forms/FormDrawer";
import { useDraft } from "../forms/useDraft";
import { Page } from "../shell/Page";
import { tellDone } from "../shell/notices";
import { ROLE_NAMES } from "./roles";

const NOTHING = { current_password: "", new_password: "" };

export function AccountPage({ account }: { account: Account }) {
  const draft = useDraft({
    initial: NOTHING,
    save: async (body) => {
      await bodyOf(api.POST("/me/password", { body }));
      draft.set(NOTHING);
      tellDone("Your password was changed");
    },
  });
  return (
    <Page title="Account">
      <SimpleGrid cols={{ base: 1, md: 2 }} spacing="md">
        <Paper className="card" p="lg">
          <Stack gap="sm">
            <Title order={2}>Who you are</Title>
            <Fact name="Name" value={account.display_name || "—"} />
            <Fact name="E-mail" value={account.email} />
            <Fact name="Role" value={ROLE_NAMES[account.role]} />
          </Stack>
        </Paper>
        <Paper className="card" p="lg" component="form" onSubmit={draft.submit} aria-label="Change my password" noValidate>
          <Stack gap="sm">
            <Title order={2}>Change my password</Title>
            <PasswordInput label="Current password" autoComplete="current-password" {...draft.text("current_password")} />
            <PasswordInput
              label="New password"
              description="At least 12 characters"
              autoComplete="new-password"
              {...draft.text("new_password")}
            />
            <FormProblems draft={draft} />
            <Group justify="flex-end">
              <Button type="submit" loading={draft.saving} disabled={!draft.isTouched}>
                Change password
              </Button>
            </Group>
          </Stack>
        </Paper>
      </SimpleGrid>
    </Page>
  );
}

function Fact({ name, value }: { name: string; value: string }) {
  return (
    <Group justify="space-between" wrap="nowrap">
      <Text size="sm" c="dimmed">
        {name}
      </Text>
      <Text size="sm" className="wrap-anywhere">
        {value}
      </Text>
    </Group>
  );
}
