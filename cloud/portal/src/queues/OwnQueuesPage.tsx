/** How the queues stand of which somebody is an agent or a supervisor, and for supervisors what became of callers. */
import { Anchor, Button, Stack, Title } from "@mantine/core";
import { Link } from "@tanstack/react-router";

import type { Account } from "../api/types";
import { Empty, Loaded, Page } from "../shell/Page";
import { browserZone } from "../shell/times";
import { rightsOf } from "./agentOrders";
import { QueueBoard } from "./QueueBoard";
import { QueueHistory } from "./QueueHistory";
import { useHasHistory, useOwnQueues } from "./useOwnQueues";

export function OwnQueuesPage({ account }: { account: Account }) {
  const own = useOwnQueues();
  const hasHistory = useHasHistory(account);
  return (
    <Page
      title="My queues"
      trail={
        <Anchor component={Link} to="/" size="sm">
          My calls
        </Anchor>
      }
    >
      <Loaded query={own}>
        {({ items }) => {
          const siteId = items[0]?.site_id;
          if (siteId === undefined) {
            return (
              <div className="card">
                <Empty title="You have no queues">Agents and supervisors of call queues see them here.</Empty>
              </div>
            );
          }
          return (
            <Stack gap="xl">
              <QueueBoard
                siteId={siteId}
                zone={browserZone}
                rights={rightsOf(account)}
                hasHistory={hasHistory}
                actions={
                  <Button component={Link} to={`/sites/${siteId}/wallboard`} size="compact-sm" variant="default">
                    Wallboard
                  </Button>
                }
              />
              {hasHistory ? (
                <section aria-label="What became of callers">
                  <Title order={2} mb="sm">
                    What became of callers
                  </Title>
                  <QueueHistory siteId={siteId} zone={browserZone} hasRecords={account.role !== "user"} />
                </section>
              ) : null}
            </Stack>
          );
        }}
      </Loaded>
    </Page>
  );
}
