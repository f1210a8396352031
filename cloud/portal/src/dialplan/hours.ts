/** Working hours and holidays of a schedule in words and on a clock, and what is wrong with those being typed. */
import type { Rule, Schedule } from "../api/types";

export type Hours = NonNullable<Schedule["hours"]>[number];
export type Holiday = NonNullable<Schedule["holidays"]>[number];
export type During = NonNullable<Extract<Rule, { kind: "outside" }>["during"]>;

export const DAYS = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"] as const;

export const PERIODS: { value: During["periods"][number]; label: string }[] = [
  { value: "working_time", label: "Working time" },
  { value: "after_hours", label: "After hours" },
  { value: "holiday", label: "Holidays" },
];

const MIDNIGHT = 1440;

/** `08:30`; the midnight that ends a day is `24:00`. */
export function clockText(minute: number): string {
  return `${String(Math.floor(minute / 60)).padStart(2, "0")}:${String(minute % 60).padStart(2, "0")}`;
}

/** What a field for a time of day holds, as minutes; the end `00:00` is the midnight that ends the day. */
export function minuteOf(text: string, isEnd: boolean): number | undefined {
  const found = /^(\d{1,2}):(\d{2})$/.exec(text.trim());
  if (!found) return undefined;
  const minute = Number(found[1]) * 60 + Number(found[2]);
  if (Number(found[2]) > 59 || minute > MIDNIGHT) return undefined;
  return isEnd && minute === 0 ? MIDNIGHT : minute;
}

/** `Mon to Fri`, `Mon, Wed`: days that follow each other are put together, from three on. */
export function daysText(days: readonly number[]): string {
  const sorted = [...new Set(days)].sort((one, other) => one - other);
  const runs: number[][] = [];
  for (const day of sorted) {
    const last = runs.at(-1);
    if (last && last.at(-1) === day - 1) last.push(day);
    else runs.push([day]);
  }
  const name = (day: number | undefined) => DAYS[(day ?? 1) - 1] ?? "?";
  return runs.map((run) => (run.length > 2 ? `${name(run[0])} to ${name(run.at(-1))}` : run.map(name).join(", "))).join(", ");
}

export function hoursText({ days, start, end }: Hours): string {
  return `${daysText(days)} ${clockText(start ?? 0)} to ${clockText(end ?? MIDNIGHT)}`;
}

/** What of one day (1 is Monday) is working time, put together where it touches: from and to, in minutes. */
export function spansOf(hours: readonly Hours[], day: number): [number, number][] {
  const found = hours.filter((one) => one.days.includes(day)).map((one): [number, number] => [one.start ?? 0, one.end ?? MIDNIGHT]);
  const spans: [number, number][] = [];
  for (const [start, end] of found.sort((one, other) => one[0] - other[0])) {
    const last = spans.at(-1);
    if (last && start <= last[1]) last[1] = Math.max(last[1], end);
    else spans.push([start, end]);
  }
  return spans;
}

/** What is wrong with a schedule; null: nothing that is seen from here. */
export function wrongWith({ name, hours = [], holidays = [] }: Schedule): string | null {
  if (!name.trim()) return "The schedule needs a name.";
  if (hours.some((one) => one.days.length === 0)) return "Choose the days on which the hours count.";
  if (hours.some((one) => (one.start ?? 0) >= (one.end ?? MIDNIGHT))) {
    return "Hours end later than they begin; those that pass midnight are two: 22:00 to 24:00, and 00:00 to 06:00 of the next day.";
  }
  if (holidays.some((one) => !/^\d{4}-\d{2}-\d{2}$/.test(one.day))) return "A holiday needs a day.";
  return null;
}

/** When a rule counts, in words. */
export function duringText(during: During, schedules: readonly Schedule[]): string {
  const schedule = schedules.find((one) => one.schedule_id === during.schedule_id)?.name ?? during.schedule_id;
  const periods = during.periods.map((period) => PERIODS.find((one) => one.value === period)?.label.toLowerCase() ?? period);
  return `${periods.join(" and ")} of ${schedule}`;
}

/** The rules that go by a schedule, by name. */
export function rulesDuring(rules: readonly Rule[], id: string): string[] {
  return rules.filter((rule) => rule.kind === "outside" && rule.during?.schedule_id === id).map((rule) => rule.name ?? rule.rule_id);
}
