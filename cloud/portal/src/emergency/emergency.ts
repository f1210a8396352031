/** Calls for help: places, their addresses in words, and whether every number leads out. */
import type { Alarm, Device, EmergencyLocation } from "../api/types";

export const CIVIC: readonly { name: keyof EmergencyLocation["civic"]; label: string }[] = [
  { name: "name", label: "Company" },
  { name: "street", label: "Street" },
  { name: "house_number", label: "House number" },
  { name: "house_number_suffix", label: "Suffix of the number" },
  { name: "street_suffix", label: "Suffix of the street" },
  { name: "postal_code", label: "Postal code" },
  { name: "city", label: "City" },
  { name: "county", label: "County" },
  { name: "state", label: "State, province" },
  { name: "country", label: "Country (two letters)" },
  { name: "building", label: "Building" },
  { name: "floor", label: "Floor" },
  { name: "unit", label: "Apartment, suite" },
  { name: "room", label: "Room" },
  { name: "place", label: "What helps to find it" },
];

/** The address as people read it; made of its parts where it is not written. */
export function addressText({ address, civic }: EmergencyLocation): string {
  if (address) return address;
  const street = [civic.street, civic.house_number].filter(Boolean).join(" ");
  const city = [civic.postal_code, civic.city].filter(Boolean).join(" ");
  const inside = [civic.building, civic.floor && `floor ${civic.floor}`, civic.room && `room ${civic.room}`];
  return [street, city, ...inside].filter(Boolean).join(", ");
}

/** What is wrong with what was typed, by field. */
export function wrongWith(location: EmergencyLocation): Map<string, string> {
  const wrong = new Map<string, string>();
  if (!location.name.trim()) wrong.set("name", "The place needs a name");
  if (!/^\+?[0-9]{3,}$/.test(location.caller_id)) {
    wrong.set("caller_id", "Its number is digits, perhaps with + before them: it is shown to emergency services, who call it back");
  }
  if (!addressText(location)) wrong.set("address", "Emergency services need an address to come to");
  if (location.civic.country && !/^[A-Z]{2}$/.test(location.civic.country)) {
    wrong.set("civic.country", "Two capital letters (ISO 3166): DE, US");
  }
  return wrong;
}

export function phonesAt(devices: readonly Pick<Device, "emergency_location_id" | "name" | "mac">[], id: string): string[] {
  return devices.filter((one) => one.emergency_location_id === id).map((one) => one.name || one.mac);
}

export interface SelfCheck {
  state: "good" | "bad" | "unknown";
  lines: string[];
  since?: string;
}

/** What the edge's own check of every day found: it raises an alarm while a number for help does not lead out. */
export function selfCheck(open: readonly Alarm[], edgeOnline: boolean): SelfCheck {
  const alarm = open.find((one) => one.alarm === "emergency_route_missing" && !one.cleared_at);
  if (alarm) return { state: "bad", lines: alarm.text.split("; "), since: alarm.raised_at };
  return { state: edgeOnline ? "good" : "unknown", lines: [] };
}
