/** What the states of an order to fetch again are called. */
import type { ResyncPhone } from "../api/types";
import type { Tone } from "../shell/State";

export const resyncStates: Record<ResyncPhone["state"], { label: string; tone: Tone }> = {
  waiting: { label: "Waiting", tone: "waiting" },
  deferred: { label: "In a call", tone: "waiting" },
  asked: { label: "Asked", tone: "waiting" },
  fetched: { label: "Fetched", tone: "good" },
  registered: { label: "Registered", tone: "good" },
  failed: { label: "Failed", tone: "bad" },
};

/** How much of an order is over, in percent. */
export function progressOf(job: { total: number; counts: Partial<Record<ResyncPhone["state"], number>> }): number {
  if (job.total === 0) return 100;
  const over = (job.counts.fetched ?? 0) + (job.counts.registered ?? 0) + (job.counts.failed ?? 0);
  return Math.round((100 * over) / job.total);
}
