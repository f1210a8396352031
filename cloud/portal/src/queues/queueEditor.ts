/** Call queues of a dial plan while they are edited, and words about them. */
import type { Plan, VoiceService } from "../api/types";
import { freshId } from "../dialplan/plan";
import { listed, type PlanPart } from "../dialplan/planPart";

export type CallQueue = Extract<VoiceService, { kind: "queue" }>;
export type QueueAgent = CallQueue["agents"][number];
export type CallBackOffer = NonNullable<CallQueue["call_back"]>;

export const STRATEGIES: readonly { value: CallQueue["strategy"]; label: string; help: string }[] = [
  { value: "ring_all", label: "All at once", help: "The first to answer has the caller" },
  { value: "longest_idle", label: "Longest idle", help: "Whose last call ended the longest ago" },
  { value: "round_robin", label: "In turn", help: "Whose turn was the longest ago" },
  { value: "skills", label: "Best first", help: "The highest skill; among equals who has been idle for longest" },
];

export function queuesOf(plan: Plan): CallQueue[] {
  return (plan.voice_services ?? []).filter((one): one is CallQueue => one.kind === "queue");
}

export function queuePart(id: string): PlanPart<CallQueue> {
  return listed("voice_services", (one: CallQueue) => one.service_id, id) as PlanPart<CallQueue>;
}

/** A queue that is not saved yet. */
export function freshQueue(plan: Plan): CallQueue {
  return {
    kind: "queue",
    service_id: freshId("queue", (plan.voice_services ?? []).map((one) => one.service_id)),
    name: "",
    extension: "",
    aliases: [],
    enabled: true,
    permission: null,
    strategy: "longest_idle",
    agents: [],
    begin_logged_in: false,
    ring_seconds: 20,
    wrap_up_seconds: 5,
    supervisors: [],
    language: "en",
    welcome: true,
    announce_seconds: 60,
    announce_position: true,
    announce_wait: true,
    most_waiting: 20,
    longest_wait_seconds: 900,
    overflow_to: null,
    waits_for_agents: false,
    nobody_to: null,
    leave_key: "",
    call_back: null,
  };
}

/** What callers are offered once somebody switches it on. */
export function freshCallBack(): CallBackOffer {
  return {
    key: "1",
    after_seconds: 60,
    other_number: true,
    permissions: [],
    ring_seconds: 40,
    attempts: 3,
    retry_minutes: 5,
    keep_hours: 12,
  };
}

/** The agents who are picked, in their order; who was one keeps the skill. */
export function agentsPicked(before: readonly QueueAgent[], userIds: readonly string[]): QueueAgent[] {
  return userIds.map((user_id) => before.find((one) => one.user_id === user_id) ?? { user_id, skill: 5 });
}

/** What is wrong with what was typed, by field, as far as it is seen from here. */
export function wrongWith(queue: CallQueue): Map<string, string> {
  const wrong = new Map<string, string>();
  if (!queue.name.trim()) wrong.set("name", "The queue needs a name");
  if (!/^[0-9]{1,15}$/.test(queue.extension)) wrong.set("extension", "1 to 15 digits");
  if (queue.announce_seconds > 0 && queue.announce_seconds < 15) wrong.set("announce_seconds", "0 for never, or 15 to 600");
  const own = [queue.extension, ...queue.aliases];
  for (const field of ["overflow_to", "nobody_to"] as const) {
    const number = queue[field];
    if (number && own.includes(number)) wrong.set(field, "This is the queue itself");
  }
  if (!/^[0-9*#]?$/.test(queue.leave_key)) wrong.set("leave_key", "One key: 0 to 9, * or #");
  else if (queue.leave_key && !queue.overflow_to) wrong.set("overflow_to", "The key leads here: say where that is");
  if (queue.call_back && !/^[0-9*]$/.test(queue.call_back.key)) wrong.set("call_back", "One key: 0 to 9, or *");
  else if (queue.call_back && queue.call_back.key === queue.leave_key) wrong.set("call_back", "This is the key to wait no longer");
  return wrong;
}

/** Such as “after 15 min to 300”. */
export function overflowText(queue: CallQueue): string {
  const seconds = queue.longest_wait_seconds;
  const after = seconds % 60 ? `${seconds} s` : `${seconds / 60} min`;
  return queue.overflow_to ? `after ${after} to ${queue.overflow_to}` : `after ${after} the call ends`;
}
