/** Call queues at this moment, asked of their edge again and again while somebody looks, and their day so far. */
import { useEffect, useState } from "react";

import { api } from "../api/client";
import { useLive } from "../api/live";
import { ProblemError } from "../api/problem";
import type { LiveQueue, LiveQueueAgent, QueuesNow, QueueTotals } from "../api/types";
import { dayBegin } from "../shell/times";
import type { Rights } from "./agentOrders";
import { agentState, dayOf, secondsSince, seesHistory, type AgentState, type Day, type Person } from "./queuesNow";

/** The edge is asked so often. */
const ASK_MILLISECONDS = 3000;
const TOTALS_MILLISECONDS = 15_000;
const SECOND = 1000;
/** More than a site may have: all are on one page. */
const ALL = 200;

export function nowKey(siteId: string) {
  return ["queues-now", siteId] as const;
}

/** Queues as they are shown. */
export interface Board {
  queues: LiveQueue[];
  /** By the edge's clock. */
  at: string;
  /** How old the figures are. */
  ageSeconds: number;
  /** Why they are not renewed; null: they are. */
  stopped: Stopped | null;
  people: ReadonlyMap<string, Person>;
  day: (queue: LiveQueue) => Day;
  /** Whether a day begins at midnight of the site; else of UTC, and anew with the edge. */
  wholeDay: boolean;
  waited: (since: string) => number;
  state: (queue: LiveQueue, agent: LiveQueueAgent) => AgentState;
  supervisors: (queueId: string) => readonly string[];
}

export interface Stopped {
  offline: boolean;
  text: string;
}

export function stoppedBy(error: Error): Stopped {
  const offline = error instanceof ProblemError && error.kind === "edge-offline";
  return { offline, text: offline ? "The edge is not connected" : error.message };
}

/**
 * How the queues of a site stand.
 *
 * `zone` is the one whose midnight begins the day; without `hasHistory` the day is as the edge counts it.
 */
export function useBoard(siteId: string, zone: string, hasHistory: boolean, rights: Rights) {
  const live = useLive<QueuesNow>(
    nowKey(siteId),
    (init) => api.GET("/sites/{site_id}/queues", { ...init, params: { path: { site_id: siteId }, query: { limit: ALL } } }),
    { every: ASK_MILLISECONDS },
  );
  const now = useNow();
  const after = dayBegin(now, zone);
  const totals = useLive<QueueTotals>(
    ["queue-totals", siteId, "day", after],
    (init) => {
      const query = { after, before: dayBegin(Date.parse(after), zone, 1), by: "queue" as const };
      return api.GET("/sites/{site_id}/queue-totals", { ...init, params: { path: { site_id: siteId }, query } });
    },
    { every: TOTALS_MILLISECONDS, enabled: hasHistory },
  );
  const board = live.data ? boardOf(live.data, totals.data, rights, live.error, Math.max(0, (now - live.dataUpdatedAt) / SECOND)) : undefined;
  return { board, live, totals };
}

function boardOf(told: QueuesNow, totals: QueueTotals | undefined, rights: Rights, error: Error | null, ageSeconds: number): Board {
  const people = new Map(told.people.map((one) => [one.user_id, one]));
  const names = new Map(told.items.map((one) => [one.queue_id, one.name]));
  const reasons = new Map(told.pauses.map((one) => [`${one.queue_id} ${one.user_id}`, one.reason]));
  const supervisors = new Map(told.supervisors.map((one) => [one.queue_id, one.user_ids]));
  // Nobody waits on in figures that are not renewed.
  const counted = error ? 0 : ageSeconds;
  return {
    queues: told.items,
    at: told.at,
    ageSeconds,
    stopped: error ? stoppedBy(error) : null,
    people,
    day: (queue) => dayOf(queue, seesHistory(rights, supervisors.get(queue.queue_id) ?? []) ? totals?.items : undefined),
    wholeDay: totals !== undefined,
    waited: (since) => secondsSince(since, told.at, counted),
    state: (queue, agent) =>
      agentState(
        agent,
        people.get(agent.user_id),
        reasons.get(`${queue.queue_id} ${agent.user_id}`) ?? "",
        names.get(agent.queue_id ?? "") ?? "",
      ),
    supervisors: (queueId) => supervisors.get(queueId) ?? [],
  };
}

/** The machine's clock, each second anew while the page is seen. */
function useNow(): number {
  const [now, setNow] = useState(() => Date.now());
  useEffect(() => {
    const look = () => {
      if (!document.hidden) setNow(Date.now());
    };
    const timer = setInterval(look, SECOND);
    document.addEventListener("visibilitychange", look);
    return () => {
      clearInterval(timer);
      document.removeEventListener("visibilitychange", look);
    };
  }, []);
  return now;
}
