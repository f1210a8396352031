import { expect, test } from "vitest";

import { partsOf, sizeText, sumText } from "./states";

const counts = { later: 0, no_files: 0, waiting: 1, told: 0, fetched: 0, running: 2, failed: 1 };

test("a ring is shown by the states that its phones are in, and those only", () => {
  const parts = partsOf({ total: 4, counts });
  expect(parts.map((part) => [part.state, part.percent])).toEqual([
    ["running", 50],
    ["waiting", 25],
    ["failed", 25],
  ]);
  expect(sumText({ total: 4, counts })).toBe("2 of 4 run it, 1 waits to be told, 1 failed");
});

test("a ring without phones has no bar", () => {
  expect(partsOf({ total: 0, counts: {} })).toEqual([]);
  expect(sumText({ total: 0, counts: {} })).toBe("No phones");
});

test("sizes are told in the largest unit that fits", () => {
  expect([17, 1024, 5_000_000, 150 * 1024 * 1024].map(sizeText)).toEqual(["17 bytes", "1.0 KiB", "4.8 MiB", "150 MiB"]);
});
