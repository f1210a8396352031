/** What became of callers of queues: times that are looked at, hours of a chart, words, and a list for spreadsheets. */
import type { QueueCall, QueueTotal } from "../api/types";
import { dayBegin, durationText, momentText } from "../shell/times";
import type { Tone } from "../shell/State";

export type Period = "today" | "yesterday" | "week" | "month" | "own";

export const PERIODS: readonly { value: Period; label: string }[] = [
  { value: "today", label: "Today" },
  { value: "yesterday", label: "Yesterday" },
  { value: "week", label: "Last 7 days" },
  { value: "month", label: "Last 30 days" },
  { value: "own", label: "From … to …" },
];

export interface Span {
  after: string;
  before: string;
}

/** From the beginning of its first day to the end of its last one, as days go in a time zone. */
export function spanOf(period: Exclude<Period, "own">, now: number, zone: string): Span {
  const [first, end] = { today: [0, 1], yesterday: [-1, 0], week: [-6, 1], month: [-29, 1] }[period] as [number, number];
  return { after: dayBegin(now, zone, first), before: dayBegin(now, zone, end) };
}

const OUTCOMES: Record<string, { label: string; tone: Tone }> = {
  answered: { label: "Answered", tone: "good" },
  called_back: { label: "Called back", tone: "good" },
  not_reached: { label: "Called back in vain", tone: "waiting" },
  abandoned: { label: "Abandoned", tone: "bad" },
  full: { label: "No room", tone: "waiting" },
  too_long: { label: "Waited too long", tone: "waiting" },
  left_by_key: { label: "Left by key", tone: "waiting" },
  closed: { label: "Nobody logged in", tone: "waiting" },
};

export function outcomeOf(call: Pick<QueueCall, "outcome">): { label: string; tone: Tone } {
  return OUTCOMES[call.outcome] ?? { label: call.outcome, tone: "idle" };
}

/** The outcomes that can be asked for. */
export function outcomeOptions(known: readonly QueueCall["outcome"][]): { value: string; label: string }[] {
  return known.map((outcome) => ({ value: outcome, label: outcomeOf({ outcome }).label }));
}

/** How long a caller waited, and talked; null: nobody answered. */
export function secondsOf(call: Pick<QueueCall, "came_at" | "answered_at" | "ended_at">): { waited: number; talked: number | null } {
  const [came, ended] = [Date.parse(call.came_at), Date.parse(call.ended_at)];
  const answered = call.answered_at === null ? null : Date.parse(call.answered_at);
  return { waited: ((answered ?? ended) - came) / 1000, talked: answered === null ? null : (ended - answered) / 1000 };
}

export interface HourBar {
  /** Such as `14`. */
  hour: string;
  answered: number;
  abandoned: number;
  overflowed: number;
}

const HOUR = 3_600_000;

/** The hours of a day in a time zone; of several days the same hours are one. */
export function hourBars(totals: readonly QueueTotal[], zone: string): HourBar[] {
  const format = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", hourCycle: "h23", timeZone: zone });
  const bars = Array.from({ length: 24 }, (_, hour) => ({ hour: String(hour).padStart(2, "0"), answered: 0, abandoned: 0, overflowed: 0 }));
  for (const total of totals) {
    const bar = bars[Number(format.format(new Date(total.key)))];
    if (!bar) continue;
    bar.answered += total.answered;
    bar.abandoned += total.abandoned;
    bar.overflowed += total.overflowed;
  }
  return bars;
}

/** Whether a span has more than one of each hour. */
export function severalDays({ after, before }: Span): boolean {
  return Date.parse(before) - Date.parse(after) > 25 * HOUR;
}

/** A list for spreadsheets; nothing in it is read as a formula there. */
export function callsCsv(calls: readonly QueueCall[], names: ReadonlyMap<string, string>, zone: string): string {
  const head = ["Came", "Queue", "Number", "Name", "Outcome", "Waited", "Talked", "Agent", "Sent to", "Came (UTC)"];
  const rows = calls.map((call) => {
    const { waited, talked } = secondsOf(call);
    return [
      momentText(call.came_at, zone),
      call.queue_name,
      call.caller,
      call.caller_name,
      outcomeOf(call).label,
      durationText(waited),
      talked === null ? "" : durationText(talked),
      call.agent_id === null ? "" : (names.get(call.agent_id) ?? ""),
      call.sent_to,
      call.came_at,
    ];
  });
  return [head, ...rows].map((row) => `${row.map(csvCell).join(",")}\r\n`).join("");
}

function csvCell(text: string): string {
  // Spreadsheets of many languages begin a new cell at these.
  const one = text.replace(/[;\t]/g, " ");
  const plain = /^\s*[=@-]|^\s*\+(?!\d+$)/.test(one) ? `'${one}` : one;
  return /[",\r\n]/.test(plain) ? `"${plain.replaceAll('"', '""')}"` : plain;
}
