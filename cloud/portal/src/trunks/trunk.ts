/** A SIP trunk in words: what a new one begins with, how it stands, and what leads to it. */
import type { Alarm, Plan, Trunk, TrunkTemplate } from "../api/types";
import { freshId } from "../dialplan/plan";
import type { Tone } from "../shell/State";

const FRESH: Omit<Trunk, "gateway_id"> = {
  name: "",
  enabled: true,
  host: "",
  port: 0,
  transport: "udp",
  prefix: "",
  caller_id: null,
  ignore_user_caller_id: false,
  block_caller_id: false,
  caller_id_in: "both",
  numbers: { style: "plus", country_code: "", national_prefix: "0", international_prefix: "00" },
  incoming: { strip: "", prefix: "", style: "as_sent", country_code: "", national_prefix: "0", international_prefix: "00" },
  trusted: true,
  send_location: false,
  qualify_seconds: null,
  username: null,
  auth_username: "",
  password_ref: null,
  domain: null,
  outbound_proxy: null,
  register_seconds: 0,
  options_seconds: 25,
  identity_in: "asserted",
  called_number_in: "request_uri",
  caller_number_in: "asserted",
  user_is_phone: false,
  networks: [],
  certificate_names: [],
  certificate_authorities: "",
  max_calls: 0,
  session_expires: 1800,
  fail_over_on: [],
};

/** A trunk as a provider's template has it; its id is unlike those of the plan's other ways out. */
export function freshTrunk(plan: Plan, template: TrunkTemplate | undefined): Trunk {
  const taken = [...(plan.gateways ?? []), ...(plan.trunks ?? [])].map((one) => one.gateway_id);
  const given = (template?.settings ?? {}) as Partial<Trunk>;
  return {
    ...FRESH,
    ...given,
    numbers: { ...FRESH.numbers, ...given.numbers },
    incoming: { ...FRESH.incoming, ...given.incoming },
    // “Any provider” is no name of one.
    name: template?.source ? template.provider : "",
    gateway_id: freshId("trunk", taken),
  };
}

/** What is wrong with what was typed, by field; the API says the rest. */
export function wrongWith(trunk: Trunk): Map<string, string> {
  const wrong = new Map<string, string>();
  if (!trunk.name.trim()) wrong.set("name", "The trunk needs a name");
  if (!trunk.host.trim()) wrong.set("host", "The provider’s address or host name is needed");
  else if (/[\s/:@]/.test(trunk.host)) {
    wrong.set("host", "The address is only that: no sip:, no port, no user; the port has a field of its own");
  }
  if (trunk.register_seconds > 0 && !trunk.username) wrong.set("username", "A trunk that registers needs its account");
  if (trunk.register_seconds > 0 && trunk.register_seconds < 30) wrong.set("register_seconds", "0, or at least 30 seconds");
  if (trunk.session_expires > 0 && trunk.session_expires < 90) wrong.set("session_expires", "0, or at least 90 seconds");
  for (const side of ["numbers", "incoming"] as const) {
    if (trunk[side].style === "national" && !trunk[side].country_code) {
      wrong.set(`${side}.country_code`, "Numbers as dialled in the country need its code: 49, 41, 1");
    }
  }
  return wrong;
}

export interface TrunkState {
  tone: Tone;
  label: string;
  detail?: string;
}

/** How a trunk stands, by what its edge reports: the alarm `trunk_down` names each that does not work, and why. */
export function trunkState(trunk: Trunk, alarms: readonly Alarm[], edgeOnline: boolean): TrunkState {
  if (!trunk.enabled) return { tone: "idle", label: "Switched off" };
  const why = downText(trunk.name, alarms);
  if (why !== undefined) return { tone: "bad", label: trunk.register_seconds ? "Not registered" : "Does not answer", detail: why };
  if (!edgeOnline) return { tone: "idle", label: "Not known", detail: "The site’s edge is not connected" };
  if (trunk.register_seconds) return { tone: "good", label: "Registered" };
  return trunk.options_seconds ? { tone: "good", label: "Answers" } : { tone: "good", label: "In use", detail: "It is never asked" };
}

function downText(name: string, alarms: readonly Alarm[]): string | undefined {
  for (const alarm of alarms) {
    if (alarm.alarm !== "trunk_down" || alarm.cleared_at) continue;
    const found = alarm.text.split("; ").find((line) => line.startsWith(`${name}: `));
    if (found) return found.slice(name.length + 2);
  }
  return undefined;
}

/** Rules, and what else of the plan leads to it, in words. */
export function usesOf(plan: Plan, id: string): string[] {
  const found = (plan.rules ?? []).filter((rule) => "gateways" in rule && (rule.gateways ?? []).includes(id));
  return found.map((rule) => `${rule.kind === "emergency" ? "emergency rule" : "rule"} ${rule.name}`);
}

/** The plan without a trunk, and without what leads to it. */
export function withoutTrunk(plan: Plan, id: string): Plan {
  const rules = (plan.rules ?? []).map((rule) =>
    "gateways" in rule ? { ...rule, gateways: (rule.gateways ?? []).filter((one) => one !== id) } : rule,
  );
  return { ...plan, rules, trunks: (plan.trunks ?? []).filter((one) => one.gateway_id !== id) };
}

const NAMED = 2;

/** The rules that try it, by the place that it has in their order: `first: International`, `second: 9 rules`. */
export function placesOf(plan: Plan, id: string): string[] {
  const rules = new Map<number, string[]>();
  for (const rule of plan.rules ?? []) {
    const at = "gateways" in rule ? (rule.gateways ?? []).indexOf(id) : -1;
    if (at >= 0) rules.set(at, [...(rules.get(at) ?? []), rule.name ?? rule.rule_id]);
  }
  const order = [...rules].sort(([one], [other]) => one - other);
  return order.map(([at, names]) => {
    const place = ["first", "second", "third"][at] ?? `${at + 1}th`;
    return `${place}: ${names.length > NAMED ? `${names.length} rules` : names.join(", ")}`;
  });
}
