import { expect, test } from "vitest";

import type { Plan } from "../api/types";
import { codesNamed, fresh, orbitsOf, wrongWith } from "./services";

test("a range stands for its orbits, and what is none is left for the API to refuse", () => {
  expect(orbitsOf(["701-703", "702", "0098 - 0101", "9-1", "x"])).toEqual(["701", "702", "703", "0098", "0099", "0100", "0101", "9-1", "x"]);
});

test("codes keep their ids when others are added or removed", () => {
  const service = fresh({} as Plan, "authorization");
  if (service.kind !== "authorization") throw new Error("another kind");
  const first = codesNamed(service, ["Anna", "Bert"]);
  const later = codesNamed({ ...service, codes: first }, ["Bert", "Carl"]);
  expect(later[0]).toEqual(first[1]);
  expect(new Set([...first, ...later].map((one) => one.code_id)).size).toBe(3);
});

test("each kind says what it lacks", () => {
  for (const kind of ["park", "mailbox", "fax", "paging", "announcement"] as const) expect(wrongWith(fresh({} as Plan, kind)).size).toBe(3);
  expect(wrongWith(fresh({} as Plan, "authorization")).size).toBe(2);
});
