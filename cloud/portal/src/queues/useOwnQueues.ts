/** The queues of whoever is logged in. */
import { api } from "../api/client";
import { useLive } from "../api/live";
import type { Account, OwnQueues } from "../api/types";
import { OWN_QUEUES } from "./agentOrders";

export function useOwnQueues(enabled = true) {
  return useLive<OwnQueues>(OWN_QUEUES, (init) => api.GET("/my/queues", { ...init }), { enabled });
}

/** Whether whoever is logged in may see what became of callers: administrators of all queues, supervisors of theirs. */
export function useHasHistory(account: Account): boolean {
  const isUser = account.role === "user";
  const own = useOwnQueues(isUser);
  return !isUser || (own.data?.items.some((one) => one.supervises) ?? false);
}
