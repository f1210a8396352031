/** A gateway of a dial plan in words, and what is wrong with one that is being typed. */
import type { Gateway, Plan } from "../api/types";
import { freshId } from "./plan";

/** A gateway that nothing is known of yet; its id is unlike those of the other gateways and trunks. */
export function freshGateway(plan: Plan): Gateway {
  const taken = [...(plan.gateways ?? []), ...(plan.trunks ?? [])].map((one) => one.gateway_id);
  // What is left out here has its default in the API.
  return { gateway_id: freshId("gateway", taken), name: "", host: "", enabled: true, port: 0, transport: "udp" } as Gateway;
}

/** Where it is: `192.0.2.10:5062 by TCP`. */
export function addressText({ host, port, transport }: Gateway): string {
  const at = host.includes(":") ? `[${host}]` : host;
  return `${at}${port ? `:${port}` : ""}${transport && transport !== "udp" ? ` by ${transport.toUpperCase()}` : ""}`;
}

/** The rules that lead there, by name. */
export function rulesBy(plan: Plan, id: string): string[] {
  const found = (plan.rules ?? []).filter((rule) => "gateways" in rule && (rule.gateways ?? []).includes(id));
  return found.map((rule) => rule.name ?? rule.rule_id);
}

/** What is wrong with what was typed; null: nothing that is seen from here. */
export function wrongWith(gateway: Gateway): string | null {
  if (!gateway.name.trim()) return "The gateway needs a name.";
  if (!gateway.host.trim()) return "The gateway needs an address or a host name.";
  if (/[\s/:@]/.test(gateway.host) && !/^[0-9a-fA-F:.]+$/.test(gateway.host)) {
    return "The address is only that: no sip:, no port, no user; the port has a field of its own.";
  }
  for (const [what, value] of [
    ["prefix", gateway.prefix],
    ["caller ID", gateway.caller_id],
  ] as const) {
    if (value && !/^\+?[0-9*#]*$/.test(value)) return `The ${what} is made of digits, perhaps with + before them.`;
  }
  const formats = [gateway.numbers, gateway.incoming];
  if (formats.some((one) => one?.style === "national" && !/^[0-9]{1,3}$/.test(one.country_code ?? ""))) {
    return "Numbers as they are dialled in the country need its country code: 49, 41, 1.";
  }
  return null;
}
