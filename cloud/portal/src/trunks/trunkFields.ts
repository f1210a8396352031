/** The fields of a trunk, by what they are about, each with what to know of it. */
import type { Trunk } from "../api/types";
import type { FieldOf } from "../forms/Fields";

export const ACCOUNT: readonly FieldOf<Trunk>[] = [
  { name: "username", label: "Account", kind: "text", nullable: true, help: "The user part of its address at the provider; empty: the provider knows the site by its address" },
  { name: "auth_username", label: "Log-in name", kind: "text", help: "Where it is another than the account" },
  { name: "register_seconds", label: "Registration", kind: "number", min: 0, max: 86400, help: "For how many seconds it is asked for; 0: it does not register" },
  { name: "domain", label: "Domain of the account", kind: "text", nullable: true, help: "Where it is another than the provider’s address" },
];

export const REACHED: readonly FieldOf<Trunk>[] = [
  { name: "host", label: "Provider’s address", kind: "text", placeholder: "sip.provider.example", help: "Its registrar or proxy: a host name, or an IPv4 address" },
  { name: "port", label: "Port", kind: "number", min: 0, max: 65535, help: "0: as the name says (RFC 3263), or 5060" },
  {
    name: "transport",
    label: "Transport",
    kind: "select",
    options: [
      { value: "udp", label: "UDP" },
      { value: "tcp", label: "TCP" },
      { value: "tls", label: "TLS" },
    ],
  },
  {
    name: "certificate_authorities",
    label: "Who signs its certificate",
    kind: "long",
    placeholder: "-----BEGIN CERTIFICATE-----",
    help: "Certificates of these authorities (PEM), and no others count; empty: those that the edge’s machine trusts",
    unless: (trunk) => trunk.transport !== "tls",
  },
  {
    name: "certificate_names",
    label: "Names in its certificate",
    kind: "tags",
    help: "Where it is for another name than the address that is connected to; and of a provider that calls by mutual TLS",
    unless: (trunk) => trunk.transport !== "tls",
  },
  { name: "outbound_proxy", label: "Outbound proxy", kind: "text", nullable: true, help: "Where requests are sent instead; port and transport are its" },
  { name: "options_seconds", label: "Ask whether it is there", kind: "number", min: 0, max: 3600, help: "Seconds between (OPTIONS), which also keeps a NAT open; 0: never" },
];

export const CALLER: readonly FieldOf<Trunk>[] = [
  { name: "caller_id", label: "Caller ID", kind: "text", nullable: true, placeholder: "+4930…", help: "What calls show whose user has no number of his own" },
  { name: "ignore_user_caller_id", label: "Show this caller ID for everybody", kind: "switch" },
  { name: "block_caller_id", label: "Let every call leave anonymously", kind: "switch" },
  {
    name: "identity_in",
    label: "Who calls stands in",
    kind: "select",
    help: "What the provider believes of callers, beside From",
    options: [
      { value: "asserted", label: "P-Asserted-Identity" },
      { value: "preferred", label: "P-Preferred-Identity" },
      { value: "remote_party", label: "Remote-Party-ID" },
      { value: "from_only", label: "From only" },
    ],
  },
  { name: "trusted", label: "Trusted", kind: "switch", help: "It is told who calls though he is private, and what it says of callers counts" },
  { name: "user_is_phone", label: "Write ;user=phone behind numbers", kind: "switch" },
  { name: "prefix", label: "Put before every number", kind: "text" },
  { name: "send_location", label: "Send the caller’s place with calls for help", kind: "switch", help: "Where the provider takes it (RFC 6442)" },
];

export const COMING: readonly FieldOf<Trunk>[] = [
  {
    name: "called_number_in",
    label: "The called number stands in",
    kind: "select",
    options: [
      { value: "request_uri", label: "The request’s address" },
      { value: "to", label: "To" },
      { value: "p_called_party", label: "P-Called-Party-ID" },
    ],
  },
  {
    name: "caller_number_in",
    label: "The caller’s number stands in",
    kind: "select",
    options: [
      { value: "asserted", label: "P-Asserted-Identity, else From" },
      { value: "from", label: "From" },
    ],
  },
  { name: "networks", label: "Calls come from", kind: "tags", placeholder: "192.0.2.0/24", help: "Addresses and networks of the provider, besides its own address; Enter adds one" },
];

export const LIMITS: readonly FieldOf<Trunk>[] = [
  { name: "max_calls", label: "Calls at one time", kind: "number", min: 0, max: 10000, help: "Both directions together; 0: as many as the edge carries" },
  { name: "session_expires", label: "Session timer", kind: "number", min: 0, max: 86400, help: "Seconds, at least 90 (RFC 4028); 0: none is asked for" },
  { name: "fail_over_on", label: "Try the next way after", kind: "tags", numeric: true, placeholder: "486", help: "SIP refusals, besides those after which it is always tried" },
];

