import { describe, expect, it } from "vitest";

import { problemsOf } from "./listProblems";

describe("problems of a list", () => {
  it("are in the order of its lines, with their columns", () => {
    const fields = new Map([
      ["line 12.mac", "It is taken"],
      ["line 2", "This is no CSV"],
      ["csv", "It is too long"],
    ]);
    expect(problemsOf(fields)).toEqual([
      { line: 0, column: "csv", message: "It is too long" },
      { line: 2, column: "", message: "This is no CSV" },
      { line: 12, column: "mac", message: "It is taken" },
    ]);
  });
});
