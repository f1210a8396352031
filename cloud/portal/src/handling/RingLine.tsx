/** The rings of one call, drawn along the time: a line for each place, from when it rings until when. */
import { Text } from "@mantine/core";

import { endText, ringsOf, type HandlingValues } from "./handling";

export function RingLine({ values }: { values: HandlingValues }) {
  const rings = ringsOf(values);
  const whole = Math.max(1, ...rings.map((ring) => ring.until));
  const percent = (seconds: number) => `${(100 * seconds) / whole}%`;
  return (
    <div>
      <ul className="ring-line" aria-label="What rings when">
        {rings.map((ring, at) => (
          <li key={at}>
            <span className="wrap-anywhere">{ring.label}</span>
            <span className="ring-track" aria-hidden="true">
              <span className="ring-span" style={{ left: percent(ring.from), width: percent(ring.until - ring.from) }} />
            </span>
            <span className="ring-words">
              {ring.from}–{ring.until} s
            </span>
          </li>
        ))}
      </ul>
      <Text size="sm" c="dimmed" mt={4}>
        {endText(values)}
      </Text>
    </div>
  );
}
