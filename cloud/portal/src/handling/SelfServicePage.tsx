/** What a user sets for himself: where his calls go, his mailbox, his password. */
import { Paper, Stack, Text, Title } from "@mantine/core";

import { api } from "../api/client";
import { useLive } from "../api/live";
import type { Account, User } from "../api/types";
import { OwnRooms } from "../conferences/OwnRooms";
import { AccountPage } from "../session/AccountPage";
import { Empty, Page } from "../shell/Page";
import { ImapForm } from "../messages/ImapForm";
import { MailForm } from "../messages/MailForm";
import { MailboxOnly, Messages } from "../messages/Messages";
import { OwnQueues } from "../queues/OwnQueues";
import { UserMailbox } from "../users/UserMailbox";
import { CallBacks } from "./CallBacks";
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
      <MailboxOnly userId={userId}>
        <Paper className="card" p="lg">
          <Stack>
            <Title order={2}>My messages</Title>
            <Messages userId={userId} />
          </Stack>
        </Paper>
      </MailboxOnly>
      <OwnQueues userId={userId} />
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
          <CallBacks userId={userId} />
          <HandlingForm userId={userId} />
          <UserMailbox user={{ id: userId }} />
          <MailboxOnly userId={userId}>
            <MailForm userId={userId} />
            <ImapForm userId={userId} />
          </MailboxOnly>
          {user.data ? <OwnRooms siteId={user.data.site_id} /> : null}
        </Stack>
      </Paper>
    </>
  );
}
