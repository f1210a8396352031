/** A site's SIP rules in words. */
import type { SipRules } from "../api/types";

type Peer = SipRules["trusted_peers"][number];

export const FROM_POLICIES: { value: SipRules["from_policy"]; label: string }[] = [
  { value: "strict", label: "Strict: one of the user’s own addresses" },
  { value: "lenient", label: "Lenient: anything; the user’s first address is asserted" },
  { value: "rfc3325", label: "RFC 3325: anything; the address that the phone prefers is asserted" },
];

export function fromPolicyText(policy: SipRules["from_policy"]): string {
  return {
    strict: "A phone may name one of its user’s own addresses as caller, or be anonymous; anything else is refused.",
    lenient: "A phone may name any caller; beside it stands the user’s first address, which the edge vouches for.",
    rfc3325: "A phone may name any caller; beside it stands the user’s address that the phone prefers (RFC 3325).",
  }[policy];
}

export const RELAY_MEDIA: { value: SipRules["relay_media"]; label: string }[] = [
  { value: "behind_nat", label: "Where phones cannot reach each other" },
  { value: "always", label: "Always" },
  { value: "never", label: "Never" },
];

export function relayMediaText(when: SipRules["relay_media"]): string {
  return {
    behind_nat: "Phones send to each other; where a NAT is between them, through the edge.",
    always: "What phones say goes through the edge, always.",
    never: "Phones send to each other, even where a NAT may be between them.",
  }[when];
}

/** Who is remote, and what that means. */
export function remoteText(sip: SipRules): string {
  const networks = sip.local_networks.join(", ");
  const exceptions = sip.media_exceptions.length;
  return [
    networks ? `Remote is what is not in ${networks}.` : "Remote is what has no private address.",
    sip.remote_tls_only ? "Remote phones register and call by TLS only." : "",
    exceptions ? `Of ${exceptions} ${exceptions === 1 ? "user or device it is" : "users and devices it is"} otherwise.` : "",
  ]
    .filter(Boolean)
    .join(" ");
}

/** How a peer is known. */
export function peerText(peer: Peer): string {
  const addresses = peer.networks.map((network) => network.replace(/\/(32|128)$/, "")).join(", ");
  const at = addresses && peer.port ? `${addresses}, UDP port ${peer.port}` : addresses;
  const certificate = peer.certificate_names.length ? `certificate for ${peer.certificate_names.join(" or ")}` : "";
  return [at, certificate].filter(Boolean).join("; or ");
}

/** An address is a network of one. */
export function asNetworks(typed: readonly string[]): string[] {
  return typed.map((text) => {
    const one = text.trim();
    if (!one || one.includes("/")) return one;
    return one.includes(":") ? `${one}/128` : `${one}/32`;
  });
}
