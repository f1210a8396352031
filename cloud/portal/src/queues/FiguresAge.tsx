/** How old the figures are, and why they are not renewed where they are not. */
import { Alert, Text } from "@mantine/core";

import { browserZone, momentText } from "../shell/times";
import { ageText } from "./queuesNow";
import type { Board } from "./useQueuesNow";

/** Older figures are said to be so, although nothing failed yet. */
const OLD_SECONDS = 15;

export function FiguresAge({ board, zone = browserZone }: { board: Board; zone?: string }) {
  const at = momentText(board.at, zone).split(", ").at(-1);
  if (board.stopped === null) {
    return (
      <Text size="sm" c="dimmed">
        As of {at}
        {board.ageSeconds >= OLD_SECONDS ? `, ${ageText(board.ageSeconds)} ago` : null}. Renewed by itself.
      </Text>
    );
  }
  return (
    <Alert color="yellow" role="status" title={`${board.stopped.text}: these figures are ${ageText(board.ageSeconds)} old`}>
      They are of {at}. {board.stopped.offline ? "Queues go on at the site. " : ""}It is asked again and again.
    </Alert>
  );
}
