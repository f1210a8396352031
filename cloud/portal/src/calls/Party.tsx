/** One side of a call. */
import { Text } from "@mantine/core";

export function Party({ number, name }: { number: string; name: string | undefined }) {
  return (
    <span>
      {number}
      {name ? (
        <Text component="span" c="dimmed" size="sm">
          {" "}
          {name}
        </Text>
      ) : null}
    </span>
  );
}
