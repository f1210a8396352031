/** What is done with agents from afar: how they stand, and taking part in their calls. */
import { api, bodyOf } from "../api/client";
import { queries, refresh } from "../api/live";
import type { LiveQueueAgent, QueueAttending, QueuesNow } from "../api/types";
import type { Account } from "../api/types";
import { nowKey } from "./useQueuesNow";

export type Presence = LiveQueueAgent["presence"];

export const OWN_QUEUES = ["my-queues"] as const;

/** Log an agent in or out, or have the agent pause; what is shown says so before the edge does. */
export async function setAgent(siteId: string, queueId: string, userId: string, presence: Presence, reason = ""): Promise<void> {
  const params = { path: { site_id: siteId, queue_id: queueId, user_id: userId } };
  await bodyOf(api.PUT("/sites/{site_id}/queues/{queue_id}/agents/{user_id}", { params, body: { presence, reason } }));
  const at = new Date().toISOString();
  queries.setQueryData<QueuesNow>(nowKey(siteId), (before) => before && {
    ...before,
    items: before.items.map((queue) =>
      queue.queue_id !== queueId
        ? queue
        : {
            ...queue,
            agents: (queue.agents ?? []).map((one) => (one.user_id === userId ? { ...one, presence, presence_since: at } : one)),
          },
    ),
    pauses: [
      ...before.pauses.filter((one) => one.queue_id !== queueId || one.user_id !== userId),
      ...(reason ? [{ queue_id: queueId, user_id: userId, reason }] : []),
    ],
  });
  await refresh(OWN_QUEUES);
}

/** Ring a supervisor, who is in the agent's call on answering; null: the one who asks. */
export async function attend(siteId: string, queueId: string, userId: string, action: QueueAttending, supervisorId: string | null): Promise<void> {
  const params = { path: { site_id: siteId, queue_id: queueId, user_id: userId } };
  const body = { action, supervisor_id: supervisorId };
  await bodyOf(api.POST("/sites/{site_id}/queues/{queue_id}/agents/{user_id}/attend", { params, body }));
}

/** What whoever is logged in may do at a queue. */
export interface Rights {
  /** The user whose account it is, if it is one's. */
  userId: string | null;
  admin: boolean;
}

export function rightsOf(account: Account): Rights {
  return { userId: account.user_id, admin: account.role !== "user" };
}

export function maySet(rights: Rights, userId: string, supervisors: readonly string[]): boolean {
  return rights.admin || rights.userId === userId || (rights.userId !== null && supervisors.includes(rights.userId));
}

/** Whose phones may be rung to attend a call: one's own, or for administrators those of any supervisor. */
export function ringable(rights: Rights, supervisors: readonly string[]): readonly string[] {
  if (rights.userId !== null && supervisors.includes(rights.userId)) return [rights.userId];
  return rights.admin ? supervisors : [];
}
