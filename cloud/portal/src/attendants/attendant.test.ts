import { describe, expect, it } from "vitest";

import type { Attendant, AttendantMenu, KeyAction, MenuKey, Plan } from "../api/types";
import { actionOf, actionText, comesBy, missing, newAttendant, newMenu, treeOf, usesOf, withKey, withMenu, withoutMenu } from "./attendant";

const plan = { schedules: [{ schedule_id: "office", name: "Office", hours: [], holidays: [] }] } as unknown as Plan;

function key(name: MenuKey["key"], action: KeyAction): MenuKey {
  return { key: name, action, label: "" };
}

function withMenus(...menus: [string, MenuKey[]][]): Attendant {
  const made = newAttendant(plan);
  const all = menus.map(([id, keys]): AttendantMenu => ({ ...newMenu({ menus: [] }, id), menu_id: id, keys }));
  return { ...made, name: "Front", extension: "400", menus: all, first_menu: all[0]!.menu_id };
}

describe("the tree of menus", () => {
  it("shows each menu once, in the order of the keys, and says where it is further up", () => {
    const attendant = withMenus(
      ["main", [key("2", { kind: "menu", menu_id: "sales" }), key("1", { kind: "menu", menu_id: "help" })]],
      ["sales", [key("#", { kind: "menu", menu_id: "main" })]],
      ["help", []],
      ["closed", []],
    );
    const [first, other] = treeOf(attendant);
    expect(first!.rows.map((row) => row.branch?.menu.name)).toEqual(["help", "sales"]);
    expect(first!.rows[1]!.branch!.rows[0]!.shownAbove?.name).toBe("main");
    expect(other!.menu.name).toBe("closed");
  });

  it("survives menus that lead to each other and to nowhere", () => {
    const attendant = withMenus(
      ["a", [key("1", { kind: "menu", menu_id: "b" }), key("2", { kind: "menu", menu_id: "gone" })]],
      ["b", [key("1", { kind: "menu", menu_id: "a" })]],
    );
    expect(treeOf(attendant)).toHaveLength(1);
  });
});

describe("menus", () => {
  it("are named by what leads to them, and only then can go", () => {
    let attendant = withMenus(["main", [key("1", { kind: "menu", menu_id: "sales" })]], ["sales", []]);
    expect(usesOf(attendant, "main")).toEqual(["calls begin with it"]);
    expect(usesOf(attendant, "sales")).toEqual(["key 1 of main"]);
    attendant = withMenu(attendant, withKey(attendant.menus[0]!, "1", undefined));
    expect(usesOf(attendant, "sales")).toEqual([]);
    expect(withoutMenu(attendant, "sales").menus).toHaveLength(1);
  });

  it("say when calls begin with them", () => {
    const made = withMenus(["main", []], ["closed", []]);
    const during = { schedule_id: "office", periods: ["after_hours" as const] };
    const attendant = { ...made, special_menu: "closed", by_time: [{ during, menu_id: "closed" }] };
    expect(comesBy(attendant, attendant.menus[1]!, plan)).toBe("special mode · after hours of Office");
    expect(comesBy(attendant, attendant.menus[0]!, plan)).toBe("first menu");
  });
});

describe("what is missing", () => {
  it("is named with its menu and key", () => {
    const attendant = { ...withMenus(["main", [key("1", actionOf("dial", newAttendant(plan)))]]), name: "" };
    const wrong = missing(attendant);
    expect(wrong.get("name")).toContain("needs a name");
    expect(wrong.get("menus")).toBe("main, key 1: whom does it connect to?");
  });

  it("is nothing for a new attendant with name and extension", () => {
    expect(missing({ ...newAttendant(plan), name: "Front", extension: "400" }).size).toBe(0);
  });
});

it("says in words what a key does", () => {
  const attendant = withMenus(["main", []]);
  expect(actionText({ kind: "dial", destination: "200" }, attendant)).toBe("connects to 200");
  expect(actionText({ kind: "operator" }, attendant)).toBe("operator (none is set)");
  expect(actionText({ kind: "name" }, attendant)).toBe("Dial by name");
});
