/** Whether somebody's phones are registered, and which. */
import { HoverCard, Stack, Text } from "@mantine/core";

import type { Registration } from "../api/types";
import { State } from "../shell/State";
import { Ago } from "../shell/When";

interface Props {
  registrations: readonly Registration[];
  /** Someone who is not expected to be registered, such as a disabled user. */
  idleLabel?: string;
}

export function RegistrationState({ registrations, idleLabel = "Not registered" }: Props) {
  if (registrations.length === 0) return <State tone="idle" label={idleLabel} />;
  const label = registrations.length === 1 ? "Registered" : `Registered (${registrations.length})`;
  return (
    <HoverCard withArrow shadow="md" position="bottom-start">
      <HoverCard.Target>
        <span tabIndex={0}>
          <State tone="good" label={label} detail={registrations[0]?.source.replace(/:\d+$/, "")} />
        </span>
      </HoverCard.Target>
      <HoverCard.Dropdown maw={420}>
        <Stack gap="sm">
          {registrations.map((one) => (
            <div key={one.id}>
              <Text size="sm" className="mono wrap-anywhere">
                {one.contact}
              </Text>
              <Text size="xs" c="dimmed">
                {one.user_agent || "unnamed phone"}, {one.transport.toUpperCase()} from {one.source}, refreshed{" "}
                <Ago at={one.refreshed_at} />
              </Text>
            </div>
          ))}
        </Stack>
      </HoverCard.Dropdown>
    </HoverCard>
  );
}
