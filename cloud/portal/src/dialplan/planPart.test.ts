import { expect, test } from "vitest";

import { ProblemError } from "../api/problem";
import { takenAtItsField } from "./planPart";

const refused = (text: string) => new ProblemError(422, "Refused", "", new Map([["", text]]));
const told = "'200' is used more than once: by user 200, queue Dr. Who";

test("a number that somebody has is said at the field that has it, and what is about others stays", () => {
  const problem = refused(`dialled: ${told}. dialled: '201' is used more than once: by user 201, rule Echo`);
  expect([...takenAtItsField(problem, { extension: "200", aliases: [] }).fields]).toEqual([
    ["", "dialled: '201' is used more than once: by user 201, rule Echo"],
    ["extension", told],
  ]);
  expect([...takenAtItsField(problem, { extension: "300", aliases: ["200", "201"] }).fields.keys()]).toEqual(["aliases"]);
  expect(takenAtItsField(problem, undefined)).toBe(problem);
});
