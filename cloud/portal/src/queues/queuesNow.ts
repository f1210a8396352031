/** How call queues stand, in words and figures. */
import type { LiveQueue, LiveQueueAgent, QueuesNow, QueueTotal } from "../api/types";
import type { Tone } from "../shell/State";
import type { Rights } from "./agentOrders";

export type Person = QueuesNow["people"][number];

/** Offered when somebody pauses; another may be typed. */
export const PAUSE_REASONS = ["Break", "Lunch", "Meeting", "Training", "Paperwork"] as const;

export interface AgentState {
  tone: Tone;
  label: string;
  /** Beside it, such as why somebody pauses. */
  detail: string;
  /** Since when; null: that is not known. */
  since: string | null;
  /** Whether the next caller may be given to this agent. */
  free: boolean;
}

/** What an agent does, and if nothing, how the agent stands. */
export function agentState(agent: LiveQueueAgent, person: Person | undefined, reason: string, queueName: string): AgentState {
  const at = (since: string | null | undefined) => since ?? null;
  const later = agent.presence === "paused" ? "pauses afterwards" : agent.presence === "out" ? "logged out" : "";
  const busy = (tone: Tone, label: string, detail: string): AgentState => ({
    tone,
    label,
    detail: [detail, later].filter(Boolean).join(", "),
    since: at(agent.since),
    free: false,
  });
  switch (agent.doing) {
    case "talking":
      return busy("good", "Talking", queueName && `call of ${queueName}`);
    case "ringing":
      return busy("waiting", "Ringing", "");
    case "wrapping_up":
      return busy("waiting", "Wrap-up", "");
  }
  if (agent.presence === "out") return { tone: "idle", label: "Away", detail: "logged out", since: at(agent.presence_since), free: false };
  if (agent.presence === "paused") return { tone: "waiting", label: "Paused", detail: reason, since: at(agent.presence_since), free: false };
  if (person && !person.registered) return { tone: "bad", label: "Unregistered", detail: "no phone to ring", since: null, free: false };
  if (agent.doing === "resting") return busy("waiting", "Did not answer", "rung again in a moment");
  return { tone: "good", label: "Idle", detail: "", since: at(agent.since ?? agent.presence_since), free: true };
}

/** Seconds from `since` until now: the edge's clock said `at` so many seconds ago. */
export function secondsSince(since: string, at: string, ageSeconds: number): number {
  return Math.max(0, (Date.parse(at) - Date.parse(since)) / 1000 + ageSeconds);
}

/** A day so far. */
export interface Day {
  answered: number;
  abandoned: number;
  overflowed: number;
  /** 0 to 1; null: nobody was answered or hung up. */
  level: number | null;
}

/** A queue's day as the history has it, since the edge's own count begins anew with the edge; else the edge's. */
export function dayOf(queue: LiveQueue, totals: readonly QueueTotal[] | undefined): Day {
  if (totals) {
    const total = totals.find((one) => one.key === queue.queue_id);
    return {
      answered: total?.answered ?? 0,
      abandoned: total?.abandoned ?? 0,
      overflowed: total?.overflowed ?? 0,
      level: total?.service_level ?? null,
    };
  }
  const [answered, abandoned] = [queue.answered ?? 0, queue.abandoned ?? 0];
  const served = answered + abandoned;
  return { answered, abandoned, overflowed: queue.overflowed ?? 0, level: served ? (queue.in_time ?? 0) / served : null };
}

/** Whether somebody may see what became of a queue's callers; totals of other queues are not zero but unknown. */
export function seesHistory({ admin, userId }: Rights, supervisors: readonly string[]): boolean {
  return admin || (userId !== null && supervisors.includes(userId));
}

/** Several days as one; the service level weighs each queue by its callers. */
export function sumOfDays(days: readonly Day[]): Day {
  const sum = (of: (day: Day) => number) => days.reduce((total, day) => total + of(day), 0);
  const served = sum((day) => day.answered + day.abandoned);
  return {
    answered: sum((day) => day.answered),
    abandoned: sum((day) => day.abandoned),
    overflowed: sum((day) => day.overflowed),
    level: served ? sum((day) => (day.level ?? 0) * (day.answered + day.abandoned)) / served : null,
  };
}

export function levelText(level: number | null): string {
  return level === null ? "—" : `${Math.round(level * 100)} %`;
}

/** What a service level is worth, by the common aim of 80 in 100. */
export function levelTone(level: number | null): Tone {
  if (level === null) return "idle";
  return level >= 0.8 ? "good" : level >= 0.6 ? "waiting" : "bad";
}

/** Such as “12 seconds”, “4 minutes”. */
export function ageText(seconds: number): string {
  const [count, unit] =
    seconds < 60 ? [Math.round(seconds), "second"] : seconds < 7200 ? [Math.floor(seconds / 60), "minute"] : [Math.floor(seconds / 3600), "hour"];
  return `${count} ${unit}${count === 1 ? "" : "s"}`;
}
