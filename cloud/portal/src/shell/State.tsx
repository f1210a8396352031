/** A state as a dot and its name: never by colour alone. */
import { Text, Tooltip } from "@mantine/core";
import type { ReactNode } from "react";

export type Tone = "good" | "bad" | "waiting" | "idle";

interface Props {
  tone: Tone;
  label: string;
  /** A second line, such as since when. */
  detail?: ReactNode;
  hint?: string;
}

export function State({ tone, label, detail, hint }: Props) {
  const state = (
    <span className={`state state-${tone}`}>
      <span className="state-dot" aria-hidden="true" />
      <span>{label}</span>
    </span>
  );
  return (
    <div>
      {hint ? (
        <Tooltip label={hint} multiline maw={360}>
          {state}
        </Tooltip>
      ) : (
        state
      )}
      {detail ? (
        <Text size="xs" c="dimmed">
          {detail}
        </Text>
      ) : null}
    </div>
  );
}
