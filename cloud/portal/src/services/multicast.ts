/** A paging group's multicast address, as the dial plan has it. */
import type { Paging } from "../api/types";

type Multicast = NonNullable<Paging["multicast"]>;

export const CODECS: { value: NonNullable<Multicast["codec"]>; label: string }[] = [
  { value: "pcmu", label: "G.711 mu-law, which every phone can" },
  { value: "g722", label: "G.722, wideband" },
];

export function freshMulticast(): Multicast {
  return { address: "239.255.0.1", port: 5004, priority: 5, codec: "pcmu", hops: 1 };
}

/** What is wrong with one, by field. */
export function wrongWithMulticast(one: Multicast): ReadonlyMap<string, string> {
  const wrong = new Map<string, string>();
  const octets = /^239\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/.exec(one.address)?.slice(1).map(Number);
  if (!octets?.every((octet) => octet <= 255)) wrong.set("multicast.address", "An address such as 239.255.0.1");
  if (one.port % 2 !== 0 || one.port < 1024 || one.port > 65534) wrong.set("multicast.port", "An even number from 1024 to 65534");
  return wrong;
}
