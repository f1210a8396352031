/** One edge's state in words. */
import type { Tone } from "../shell/State";

export function edgeTone(edge: { online: boolean; enrolled: boolean }): { tone: Tone; label: string } {
  if (!edge.enrolled) return { tone: "waiting", label: "Waiting for enrollment" };
  return edge.online ? { tone: "good", label: "Online" } : { tone: "bad", label: "Offline" };
}
