/** What a user sets for himself: where his calls go, his mailbox, his password. */
import { Paper, Stack, Text, Title } from "@mantine/core";

import { api } from "../api/client";
import { useLive } from "../api/live";
import type { Account, User } from "../api/types";
import { AccountPage } from "../session/AccountPage";
import { Empty, Page } from "../shell/Page";
import { UserMailbox } from "../users/UserMailbox";
import { HandlingForm } from "./HandlingForm";

export function SelfServicePage({ account }: { account: Account }) {
  return (
    <Stack gap="xl">
      <Page title="My calls">
        {account.user_id ? (
          <MyCalls userId={account.user_id} />
        ) : (
          <div className="card">
            <Empty title="No telephone belongs to this account">An administrator can give it one.</Empty>
          </div>
        )}
      </Page>
      <AccountPage account={account} />
    </Stack>
  );
}

function MyCalls({ userId }: { userId: string }) {
  const user = useLive<User>(
    ["users", "own", userId],
    (init) => api.GET("/users/{user_id}", { ...init, params: { path: { user_id: userId } } }),
    { poll: false },
  );
  return (
    <>
      {user.data ? (
        <Text size="sm" c="dimmed">
          Extension {user.data.extension ?? user.data.username}.{" "}
          {user.data.anonymous
            ? "Calls to the outside show no number."
            : user.data.caller_id
              ? `Calls to the outside show ${user.data.caller_id}.`
              : null}
        </Text>
      ) : null}
      <Paper className="card" p="lg">
        <Stack>
          <Title order={2}>Where my calls go</Title>
          <HandlingForm userId={userId} />
          <UserMailbox user={{ id: userId }} />
        </Stack>
      </Paper>
    </>
  );
}
