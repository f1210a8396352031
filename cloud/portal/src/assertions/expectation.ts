/** What is expected of a call, in words, and what a simulated call suggests. */
import type { CallQuestion, Expectation, Plan, Simulated, User } from "../api/types";

export const OUTCOMES: { value: Expectation["outcome"]; label: string; target: string }[] = [
  { value: "rings", label: "Rings a user", target: "User name or extension" },
  { value: "leaves_by", label: "Leaves by a trunk or gateway", target: "Its name" },
  { value: "service", label: "Reaches a service", target: "Its name, such as deposit" },
  { value: "refused", label: "Is refused", target: "" },
];

/** What became of a call, as something to expect of it. */
export function suggested({ steps }: Simulated): Pick<Expectation, "outcome" | "target"> {
  for (const step of steps) {
    const [user] = step.users;
    if (user) return { outcome: "rings", target: user.username };
    const [number] = step.numbers;
    if (number) return { outcome: "leaves_by", target: number.gateway };
    if (step.service !== null) return { outcome: "service", target: step.service };
  }
  return { outcome: "refused", target: "" };
}

export function callText(call: CallQuestion, users: readonly User[], plan: Plan): string {
  const user = users.find((one) => one.id === call.caller);
  const way = [...(plan.trunks ?? []), ...(plan.gateways ?? [])].find((one) => one.gateway_id === call.gateway);
  const caller = call.caller
    ? user
      ? user.display_name || user.username
      : call.caller
    : `a caller from outside${way ? ` by ${way.name}` : ""}${call.number ? ` (${call.number})` : ""}`;
  const failing = [
    ...(call.edge_down ? ["the edge is away"] : []),
    ...(call.cloud_down ? ["the cloud is away"] : []),
    ...(call.gateways_down.length > 0 ? ["ways out are down"] : []),
    ...(call.busy.length > 0 ? ["some are in a call"] : []),
    ...(call.unregistered.length > 0 ? ["some are away"] : []),
  ];
  return `${caller} dials ${call.dialled}${failing.length > 0 ? ` while ${failing.join(" and ")}` : ""}`;
}

export function outcomeText({ outcome, target }: Expectation): string {
  switch (outcome) {
    case "rings":
      return `rings ${target}`;
    case "leaves_by":
      return `leaves by ${target}`;
    case "service":
      return `reaches ${target}`;
    case "refused":
      return "is refused";
  }
}
