/** A user's own queues: how the user stands at each, and the way to those that the user watches. */
import { Button, Group, Paper, Stack, Text, Title } from "@mantine/core";
import { Link } from "@tanstack/react-router";
import { useState } from "react";

import type { OwnQueue } from "../api/types";
import { State } from "../shell/State";
import { tellDone, tellProblem } from "../shell/notices";
import { setAgent, type Presence } from "./agentOrders";
import { OWN_QUEUES_PATH } from "./paths";
import { PresenceMenu } from "./PresenceMenu";
import { useOwnQueues } from "./useOwnQueues";

export function OwnQueues({ userId }: { userId: string }) {
  const own = useOwnQueues();
  if (!own.data?.items.length) return null;
  return (
    <Paper className="card" p="lg" component="section" aria-label="My queues">
      <Stack>
        <Group justify="space-between">
          <Title order={2}>My queues</Title>
          <Button component={Link} to={OWN_QUEUES_PATH} size="compact-sm" variant="default">
            See how they stand
          </Button>
        </Group>
        {own.data.items.map((queue) => (
          <OneOwnQueue key={queue.queue_id} queue={queue} userId={userId} />
        ))}
      </Stack>
    </Paper>
  );
}

const TOLD: Record<Presence, string> = { in: "You are available at", paused: "You pause at", out: "You are logged out of" };

function OneOwnQueue({ queue, userId }: { queue: OwnQueue; userId: string }) {
  const [busy, setBusy] = useState(false);
  const told = (presence: Presence) => `${TOLD[presence]} ${queue.name}`;
  const begin = async () => {
    setBusy(true);
    try {
      await setAgent(queue.site_id, queue.queue_id, userId, "in");
      tellDone(told("in"));
    } catch (error) {
      tellProblem(error);
    } finally {
      setBusy(false);
    }
  };
  return (
    <Group justify="space-between" gap="xs" role="group" aria-label={queue.name}>
      <Text size="sm">
        {queue.name} <span className="mono">{queue.extension}</span>
      </Text>
      <Group gap="sm">
        <OwnState queue={queue} />
        {queue.presence === null ? null : (
          <>
            {queue.presence === "in" ? null : (
              <Button size="compact-sm" loading={busy} onClick={() => void begin()} aria-label={`Go available at ${queue.name}`}>
                Go available
              </Button>
            )}
            {queue.presence === "out" ? null : (
              <PresenceMenu
                siteId={queue.site_id}
                queueId={queue.queue_id}
                userId={userId}
                presence={queue.presence}
                label={queue.presence === "in" ? "Pause or log out" : "Change"}
                title={`Pause at ${queue.name}, or log out`}
                name={`at ${queue.name}`}
                told={told}
              />
            )}
          </>
        )}
      </Group>
    </Group>
  );
}

function OwnState({ queue }: { queue: OwnQueue }) {
  switch (queue.presence) {
    case null:
      return <State tone="idle" label="You supervise it" />;
    case "in":
      return <State tone="good" label="Available" />;
    case "paused":
      return <State tone="waiting" label={queue.reason ? `Paused: ${queue.reason}` : "Paused"} />;
    case "out":
      return <State tone="idle" label="Away" />;
  }
}
