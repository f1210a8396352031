import { expect, test } from "vitest";

import type { Sound } from "../api/types";
import { choices, sizeText, soundName, usesText } from "./soundText";

const WALTZ = { id: "1", name: "Waltz.wav", digest: "a".repeat(64), used_by: [] } as unknown as Sound;

test("sizes are told in units that people read", () => {
  expect([sizeText(10), sizeText(480_044), sizeText(10 * 1024 * 1024)]).toEqual(["1 KiB", "469 KiB", "10.0 MiB"]);
});

test("a file without a name is told by its digest", () => {
  expect(soundName({ name: "", digest: "b".repeat(64) })).toBe("unnamed, bbbbbbbbbbbb");
});

test("who uses a file is told with the site", () => {
  expect(usesText(WALTZ)).toBe("nobody");
  const used = { ...WALTZ, used_by: [{ site_id: "s", site: "Main", what: "queue Support" }] };
  expect(usesText(used)).toBe("queue Support at Main");
});

test("the chosen file can be chosen again also when the list does not have it", () => {
  expect(choices([WALTZ], null)).toHaveLength(1);
  expect(choices([WALTZ], { digest: WALTZ.digest, name: "other" })).toHaveLength(1);
  expect(choices([WALTZ], { digest: "c".repeat(64), name: "Old.wav" }).at(-1)?.label).toBe("Old.wav");
});
