import { describe, expect, it } from "vitest";

import type { Plan, User } from "../api/types";
import { MOST_AT_ONCE, clashes, mapped, rangeOf, reaches } from "./numbers";

const users = [{ username: "200", extension: "200", aliases: ["+49301000"], display_name: "Reception" }] as unknown as User[];
const plan = {
  numbers: [{ number: "+49301001", destination: "200" }],
  hunt_groups: [{ extension: "500", aliases: [], name: "Sales" }],
  locations: [{ caller_id: "+49301002", name: "Hall" }],
  rules: [{ kind: "voicemail", code: "*98", prefix: "*8", name: "Voicemail" }],
} as unknown as Plan;

describe("a range of numbers", () => {
  it("keeps plus and leading zeros, however long the numbers are, and has an end", () => {
    expect(rangeOf("+4930123456789012345", 3)).toEqual([
      "+4930123456789012345",
      "+4930123456789012346",
      "+4930123456789012347",
    ]);
    expect(rangeOf("0098", 3)).toEqual(["0098", "0099", "0100"]);
    expect(rangeOf("0", 5000)).toHaveLength(MOST_AT_ONCE);
    expect(rangeOf("12a", 3)).toEqual([]);
  });

  it("goes to extensions by offset, or all to one", () => {
    expect(mapped(["1", "2"], "200", true, "").map((one) => one.destination)).toEqual(["200", "201"]);
    expect(mapped(["1", "2"], "500", false, "").map((one) => one.destination)).toEqual(["500", "500"]);
  });
});

describe("a number", () => {
  it("reaches users, groups and mailboxes by what is dialled for them", () => {
    expect(reaches(plan, users, "200")).toBe("Reception");
    expect(reaches(plan, users, "500")).toBe("group Sales");
    expect(reaches(plan, users, "*8200")).toBe("voicemail of Reception");
    expect(reaches(plan, users, "299")).toBeUndefined();
  });

  it("that is taken is refused with who has it", () => {
    expect(clashes(plan, users, ["+49301000", "+49301001", "+49301002", "+49301003"])).toEqual([
      "+49301001 goes to 200 (Reception) already",
      "+49301000 is an alias of Reception",
      "+49301002 stands for Hall, for calls back after a call for help",
    ]);
  });
});
