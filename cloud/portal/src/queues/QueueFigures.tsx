/** A few figures side by side, each with its name. */
import type { ReactNode } from "react";

import type { LiveQueue } from "../api/types";
import type { Tone } from "../shell/State";
import { durationText } from "../shell/times";
import { levelText, levelTone, sumOfDays } from "./queuesNow";
import type { Board } from "./useQueuesNow";

export interface Figure {
  name: string;
  value: ReactNode;
  tone?: Tone | undefined;
}

export function FigureRow({ figures, label }: { figures: readonly Figure[]; label: string }) {
  return (
    <dl className="queue-figures" aria-label={label}>
      {figures.map(({ name, value, tone }) => (
        <div key={name} className={tone ? `queue-figure tone-${tone}` : "queue-figure"}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}

/** How some queues stand together. */
export function figuresOf(board: Board, queues: readonly LiveQueue[]): Figure[] {
  const callers = queues.flatMap((queue) => queue.callers ?? []);
  const longest = Math.max(0, ...callers.map((one) => board.waited(one.came_at)));
  const agents = new Map(queues.flatMap((queue) => (queue.agents ?? []).map((agent) => [agent.user_id, board.state(queue, agent)] as const)));
  for (const queue of queues) {
    for (const agent of queue.agents ?? []) {
      const state = board.state(queue, agent);
      if (state.free) agents.set(agent.user_id, state);
    }
  }
  const states = [...agents.values()];
  const idle = states.filter((one) => one.free).length;
  const here = states.filter((one) => one.label !== "Away").length;
  const day = sumOfDays(queues.map(board.day));
  return [
    { name: "Waiting", value: callers.length, tone: callers.length === 0 ? undefined : idle > 0 ? "waiting" : "bad" },
    { name: "Longest wait", value: callers.length ? durationText(longest) : "—" },
    { name: "Agents idle", value: `${idle} of ${here}`, tone: idle === 0 ? "bad" : "good" },
    { name: "Answered", value: day.answered },
    { name: "Abandoned", value: day.abandoned },
    { name: "Sent on", value: day.overflowed },
    { name: "Service level", value: levelText(day.level), tone: levelTone(day.level) },
  ];
}
