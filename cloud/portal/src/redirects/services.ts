/** The vendors' redirect services, in words. */
import type { DeviceRedirect, RedirectService } from "../api/types";
import type { Tone } from "../shell/State";

export interface ServiceWords {
  label: string;
  username: string;
  password: string;
}

export const SERVICES: Record<RedirectService, ServiceWords> = {
  yealink_rps: { label: "Yealink RPS (XML API)", username: "User name", password: "Password" },
  yealink_ymcs: { label: "Yealink YMCS", username: "Client id", password: "Client secret" },
  snom_sraps: { label: "Snom SRAPS", username: "Access key id", password: "Access key secret" },
  snom_redirect: { label: "Snom redirection (XML-RPC)", username: "User name", password: "Password" },
  gigaset_grape: { label: "Gigaset GRAPE", username: "Key id", password: "Key" },
  gigaset_redirect: { label: "Gigaset redirect server (XML-RPC)", username: "User name", password: "Password" },
  fanvil_fdps: { label: "Fanvil FDPS", username: "User name", password: "Password" },
  grandstream_gdms: { label: "Grandstream GDMS", username: "API id/user name", password: "API secret/password" },
};

export function serviceLabel(service: string): string {
  return SERVICES[service as RedirectService]?.label ?? service;
}

const PROBLEMS: Record<string, string> = {
  claimed: "Locked to another account",
  credentials: "Log-in not accepted",
  no_serial: "Serial number is missing",
  no_server_name: "Site has no server name",
  refused: "Refused by the service",
  unreachable: "Service not reached",
};

/** How far a vendor's service is told of a phone: what to show, and what to say when asked. */
export function redirectWords(redirect: Pick<DeviceRedirect, "state" | "problem" | "problem_text">): {
  tone: Tone;
  label: string;
  hint: string | undefined;
} {
  const hint = redirect.problem_text || undefined;
  const problem = PROBLEMS[redirect.problem] ?? redirect.problem;
  switch (redirect.state) {
    case "pushed":
      return { tone: "good", label: "Redirected", hint };
    case "failed":
      return { tone: "bad", label: problem || "Not redirected", hint };
    case "removing":
      return { tone: "waiting", label: "Being taken off", hint };
    default:
      return { tone: "waiting", label: problem ? `${problem}, tried again` : "Being redirected", hint };
  }
}
