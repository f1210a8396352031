/** Call queues on a display at the wall: large, dark, without anything to press but the way in and out. */
import { Button, Center, Group, Loader } from "@mantine/core";
import { useDocumentTitle, useFullscreenDocument } from "@mantine/hooks";
import { Link } from "@tanstack/react-router";

import type { Account, LiveQueue } from "../api/types";
import { State } from "../shell/State";
import { browserZone, durationText } from "../shell/times";
import { rightsOf } from "./agentOrders";
import { CallerState } from "./QueueBoard";
import { FigureRow, figuresOf } from "./QueueFigures";
import { useHasHistory } from "./useOwnQueues";
import { ageText } from "./queuesNow";
import { stoppedBy, useBoard, type Board } from "./useQueuesNow";
import "./queues.css";

/** Who waits is told by name up to here; the count tells of the rest. */
const MOST_CALLERS = 5;

interface Props {
  siteId: string;
  account: Account;
}

export function Wallboard({ siteId, account }: Props) {
  const hasHistory = useHasHistory(account);
  useDocumentTitle("Wallboard · Tandem");
  const { fullscreen, toggle } = useFullscreenDocument();
  const { board, live } = useBoard(siteId, browserZone, hasHistory, rightsOf(account));
  return (
    <main className="wall">
      <Group justify="space-between" className="wall-top">
        <h1>Call queues</h1>
        <Group gap="xs">
          <WallAge board={board} error={live.error} />
          {fullscreen ? null : (
            <>
              <Button className="wall-button" variant="default" onClick={() => void toggle()}>
                Full screen
              </Button>
              <Button
                className="wall-button"
                variant="default"
                component={Link}
                to={account.role === "user" ? "/my/queues" : `/sites/${siteId}/queues`}
              >
                Leave
              </Button>
            </>
          )}
        </Group>
      </Group>
      {board === undefined ? (
        <Center py={96}>{live.error ? null : <Loader aria-label="Loading" />}</Center>
      ) : board.queues.length === 0 ? (
        <Center py={96}>No call queues are at work.</Center>
      ) : (
        <div className="wall-queues">
          {board.queues.map((queue) => (
            <WallQueue key={queue.queue_id} queue={queue} board={board} />
          ))}
        </div>
      )}
    </main>
  );
}

function WallAge({ board, error }: { board: Board | undefined; error: Error | null }) {
  if (board === undefined) {
    return error ? (
      <div className="wall-stopped" role="status">
        {stoppedBy(error).text}. It is asked again and again.
      </div>
    ) : null;
  }
  if (board.stopped) {
    return (
      <div className="wall-stopped" role="status">
        {board.stopped.text}: these figures are {ageText(board.ageSeconds)} old
      </div>
    );
  }
  return <time className="wall-clock">{new Date(board.at).toLocaleTimeString("en-GB")}</time>;
}

function WallQueue({ queue, board }: { queue: LiveQueue; board: Board }) {
  const callers = queue.callers ?? [];
  return (
    <section className="wall-queue" aria-label={`Queue ${queue.name}`}>
      <h2>{queue.name}</h2>
      <FigureRow label={`Figures of ${queue.name}`} figures={figuresOf(board, [queue])} />
      {callers.length > 0 ? (
        <ol className="wall-callers" aria-label={`Who waits at ${queue.name}`}>
          {callers.slice(0, MOST_CALLERS).map((caller) => (
            <li key={caller.call_id}>
              <span className="wall-who">{caller.name || caller.number}</span>
              <CallerState caller={caller} />
              <span className="figures">{durationText(board.waited(caller.came_at))}</span>
            </li>
          ))}
          {callers.length > MOST_CALLERS ? <li>and {callers.length - MOST_CALLERS} more</li> : null}
        </ol>
      ) : null}
      <ul className="wall-agents" aria-label={`Agents of ${queue.name}`}>
        {(queue.agents ?? []).map((agent) => {
          const { tone, label, detail, since } = board.state(queue, agent);
          return (
            <li key={agent.user_id} className={`tone-${tone}`}>
              <span className="wall-who">{board.people.get(agent.user_id)?.name ?? "Somebody who is gone"}</span>
              <State tone={tone} label={label} detail={detail || undefined} />
              <span className="figures">{since === null ? "" : durationText(board.waited(since))}</span>
            </li>
          );
        })}
      </ul>
    </section>
  );
}
