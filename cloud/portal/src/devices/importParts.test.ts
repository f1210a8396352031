import { describe, expect, it } from "vitest";

import { inWholeList, PART, partsOf } from "./importParts";

const row = (line: number, name = "") => ({
  line,
  mac: "805ec0000001",
  model: line % 2 ? "announced/any" : "yealink/t54w",
  name,
  users: ["200", "201"],
  serial: "S-1",
  location: "Floor 1",
});

describe("a list in parts", () => {
  it("has every row once, in its order, and reads as a list of its own", () => {
    const rows = Array.from({ length: 2 * PART + 1 }, (_, index) => row(index + 2));
    const parts = partsOf(rows);
    expect(parts.map((part) => part.rows.length)).toEqual([PART, PART, 1]);
    expect(parts.flatMap((part) => part.rows)).toEqual(rows);
    expect(parts[0]?.csv.split("\r\n").slice(0, 3)).toEqual([
      "mac,model,name,users,serial,location",
      "805ec0000001,yealink/t54w,,200 201,S-1,Floor 1",
      "805ec0000001,,,200 201,S-1,Floor 1",
    ]);
  });

  it("quotes what would part cells", () => {
    expect(partsOf([row(2, 'Desk, "left"')])[0]?.csv).toContain('yealink/t54w,"Desk, ""left""",');
  });

  it("names problems by the lines of the whole list", () => {
    const problems = [{ line: 3, column: "mac", message: "taken" }];
    expect(inWholeList(problems, [row(102), row(105)])).toEqual([{ line: 105, column: "mac", message: "taken" }]);
  });
});
