/** A week of working hours, drawn: a line for each day, from midnight to midnight. */
import { DAYS, clockText, spansOf, type Hours } from "./hours";

export function WeekHours({ hours, name }: { hours: readonly Hours[]; name: string }) {
  return (
    <ul className="week" aria-label={`Working hours of ${name || "the schedule"}`}>
      {DAYS.map((label, place) => {
        const spans = spansOf(hours, place + 1);
        const words = spans.map(([start, end]) => `${clockText(start)}–${clockText(end)}`).join(", ");
        return (
          <li key={label} className="week-day">
            <span>{label}</span>
            <span className="week-line" aria-hidden="true">
              {spans.map(([start, end]) => (
                <span key={start} className="week-span" style={{ left: `${start / 14.4}%`, width: `${(end - start) / 14.4}%` }} />
              ))}
            </span>
            <span className="week-words">{words || "closed"}</span>
          </li>
        );
      })}
    </ul>
  );
}
