import { expect, it } from "vitest";

import { barsOf, lengthText } from "./sound";

it("draws a flat line where nobody knows how loud it is", () => {
  expect(barsOf([0.5, 1])).toEqual([0.5, 1]);
  expect(new Set(barsOf(null))).toEqual(new Set([0]));
});

it("says how long a message is", () => {
  expect(lengthText(61.2)).toBe("1:01");
  expect(lengthText(7199.6)).toBe("2:00:00");
  expect(lengthText(3723)).toBe("1:02:03");
});
