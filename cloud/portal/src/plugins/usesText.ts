/** What removing a plug-in would break. */
import type { DevicePlugin } from "../api/types";

/** `one: 3, two: 1`: how many devices have each of its models; empty when none has any. */
export function usesText({ uses }: Pick<DevicePlugin, "uses">): string {
  return Object.entries(uses)
    .sort(([one], [other]) => one.localeCompare(other))
    .map(([model, count]) => `${model}: ${count}`)
    .join(", ");
}
