/** The steps of a simulated call in words. */
import type { SimulatedStep } from "../api/types";

const ENDS: Record<number, string> = {
  403: "is not allowed",
  404: "leads nowhere",
  408: "is not answered",
  433: "is turned away: the caller is not named",
  480: "reaches nobody",
  482: "goes round in circles",
  486: "meets a busy line",
  503: "finds no way out",
  603: "is declined",
};

/** What happens in one step. */
export function stepText(step: SimulatedStep, gateway: (id: string) => string): string {
  const named = (one: { display_name: string; username: string }) => one.display_name || one.username;
  const rung = [
    ...step.users.map(named),
    ...step.numbers.map((one) => `${one.number} by ${gateway(one.gateway)}${one.caller_id ? ` as ${one.caller_id}` : ""}`),
  ];
  if (rung.length > 0) {
    const ring = `${rung.join(", ")} ${rung.length === 1 ? "rings" : "ring"}`;
    return step.seconds === null ? ring : `${ring} for ${step.seconds} seconds`;
  }
  if (step.picked_up.length > 0) return `A call of ${step.picked_up.map(named).join(", ")} is picked up`;
  if (step.service !== null) {
    const whose = step.arguments["mailbox"];
    return whose ? `The mailbox of ${whose} answers` : `The service ${step.service.replaceAll("_", " ")} answers`;
  }
  if (step.status !== null) return `The call ${ENDS[step.status] ?? `ends with ${step.status}`} (${step.status})`;
  return Object.keys(step.changes).length > 0 ? "Something is set by a code" : "The call goes on";
}
