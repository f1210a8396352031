/** Callers by the hour: answered, abandoned, sent on, one upon the other. */
import { Text } from "@mantine/core";

import { severalDays, type HourBar, type Span } from "./queueHistory";

const PARTS = [
  { part: "answered", label: "Answered" },
  { part: "abandoned", label: "Abandoned" },
  { part: "overflowed", label: "Sent on" },
] as const;
const HEIGHT = 120;
const BAR = 20;
const STEP = 28;
const FOOT = 18;

export function HoursChart({ bars, span, zone }: { bars: readonly HourBar[]; span: Span; zone: string }) {
  const sum = (bar: HourBar) => bar.answered + bar.abandoned + bar.overflowed;
  const most = Math.max(1, ...bars.map(sum));
  const told = PARTS.map(({ part, label }) => `${label} ${bars.reduce((total, bar) => total + bar[part], 0)}`).join(", ");
  return (
    <figure className="hours">
      <svg viewBox={`0 0 ${bars.length * STEP} ${HEIGHT + FOOT + 14}`} role="img" aria-label={`Callers by the hour: ${told}`}>
        {bars.map((bar, place) => {
          let top = HEIGHT + 14;
          return (
            <g key={bar.hour}>
              <title>{`${bar.hour}:00: ${PARTS.map(({ part, label }) => `${label} ${bar[part]}`).join(", ")}`}</title>
              <rect className="hours-row" x={place * STEP} y={0} width={STEP} height={HEIGHT + 14} />
              {PARTS.map(({ part }) => {
                const height = (bar[part] / most) * HEIGHT;
                top -= height;
                return height > 0 ? <rect key={part} className={`hours-${part}`} x={place * STEP + 4} y={top} width={BAR} height={height} /> : null;
              })}
              {sum(bar) > 0 ? (
                <text className="hours-count" x={place * STEP + 4 + BAR / 2} y={top - 3}>
                  {sum(bar)}
                </text>
              ) : null}
              <text className={place % 3 === 0 ? "hours-hour" : "hours-hour hours-between"} x={place * STEP + 4 + BAR / 2} y={HEIGHT + 14 + FOOT - 2}>
                {bar.hour}
              </text>
            </g>
          );
        })}
      </svg>
      <figcaption>
        {PARTS.map(({ part, label }) => (
          <span key={part} className={`hours-key hours-${part}`}>
            {label}
          </span>
        ))}
        <Text component="span" size="xs" c="dimmed">
          by the hour ({zone}){severalDays(span) ? ", all days together" : ""}
        </Text>
      </figcaption>
    </figure>
  );
}
