/** An attendant while it is edited: its menus as a tree, and what its keys do in words. */
import type { Attendant, AttendantMenu, AttendantGreeting as Greeting, KeyAction, MenuKey, Plan } from "../api/types";
import { freshId } from "../dialplan/plan";

export const KEYS = ["1", "2", "3", "4", "5", "6", "7", "8", "9", "*", "0", "#"] as const;

export const ACTIONS: { value: KeyAction["kind"]; label: string }[] = [
  { value: "dial", label: "Connect to a number" },
  { value: "menu", label: "Another menu" },
  { value: "extension", label: "Ask for an extension" },
  { value: "name", label: "Dial by name" },
  { value: "operator", label: "Operator" },
  { value: "voicemail", label: "Leave a message" },
  { value: "announcement", label: "Play an announcement" },
  { value: "repeat", label: "Say the menu again" },
  { value: "back", label: "Back to the menu before" },
  { value: "hang_up", label: "End the call" },
];
/** What may become of a caller who finds no way. */
export const LAST_ACTIONS = ACTIONS.filter((one) => ["dial", "menu", "operator", "voicemail", "hang_up"].includes(one.value));

export const PHRASES = [
  { value: "welcome", label: "“Thank you for calling”" },
  { value: "closed", label: "“We are closed at the moment”" },
  { value: "holiday", label: "“Today is a holiday”" },
  { value: "none", label: "Nothing but the choices" },
];

export const GREETINGS: { value: Greeting["kind"]; label: string }[] = [
  { value: "standard", label: "Standard words, then the choices" },
  { value: "spoken", label: "A text that is spoken" },
  { value: "uploaded", label: "A sound file" },
  { value: "recorded", label: "Recorded by telephone" },
];

/** A menu in the tree: the key that leads there, and the menus behind its own keys. */
export interface Branch {
  menu: AttendantMenu;
  /** Unique in the tree. */
  path: string;
  rows: Row[];
}

export interface Row {
  key: MenuKey;
  /** The menu behind it, where that is shown here. */
  branch?: Branch;
  /** The menu behind it, where that is shown further up already. */
  shownAbove?: AttendantMenu;
}

/** What is shown: the first menu with all that is behind it, then those that are come to in another way, or not at all. */
export function treeOf(attendant: Attendant): Branch[] {
  const menus = new Map(attendant.menus.map((menu) => [menu.menu_id, menu]));
  const shown = new Set<string>();
  const grow = (menu: AttendantMenu, path: string): Branch => {
    shown.add(menu.menu_id);
    const rows = sortedKeys(menu).map((key): Row => {
      const next = key.action.kind === "menu" ? menus.get(key.action.menu_id) : undefined;
      if (!next) return { key };
      if (shown.has(next.menu_id)) return { key, shownAbove: next };
      return { key, branch: grow(next, `${path}/${key.key}`) };
    });
    return { menu, path, rows };
  };
  const first = menus.get(attendant.first_menu);
  const branches = first ? [grow(first, first.menu_id)] : [];
  for (const menu of attendant.menus) if (!shown.has(menu.menu_id)) branches.push(grow(menu, menu.menu_id));
  return branches;
}

export function sortedKeys(menu: AttendantMenu): MenuKey[] {
  return [...(menu.keys ?? [])].sort((one, other) => KEYS.indexOf(one.key) - KEYS.indexOf(other.key));
}

/** What a key does, for a person. */
export function actionText(action: KeyAction, attendant: Attendant): string {
  switch (action.kind) {
    case "dial":
      return `connects to ${action.destination || "…"}`;
    case "menu":
      return nameOf(attendant, action.menu_id);
    case "voicemail":
      return `message for ${action.mailbox || "…"}`;
    case "operator":
      return attendant.operator ? `operator ${attendant.operator}` : "operator (none is set)";
    default:
      return ACTIONS.find((one) => one.value === action.kind)?.label ?? action.kind;
  }
}

export function nameOf(attendant: Attendant, menuId: string): string {
  return attendant.menus.find((menu) => menu.menu_id === menuId)?.name || menuId;
}

/** How a menu is come to other than by keys. */
export function comesBy(attendant: Attendant, menu: AttendantMenu, plan: Plan): string {
  const found: string[] = [];
  if (attendant.first_menu === menu.menu_id) found.push("first menu");
  if (attendant.special_menu === menu.menu_id) found.push(attendant.special_mode ? "special mode, on" : "special mode");
  for (const one of attendant.by_time ?? []) {
    if (one.menu_id !== menu.menu_id) continue;
    const schedule = (plan.schedules ?? []).find((each) => each.schedule_id === one.during.schedule_id);
    found.push(`${one.during.periods.map((period) => period.replace("_", " ")).join(", ")} of ${schedule?.name ?? "?"}`);
  }
  return found.join(" · ");
}

export function newMenu(attendant: Pick<Attendant, "menus">, name: string): AttendantMenu {
  return {
    menu_id: freshId("menu", attendant.menus.map((menu) => menu.menu_id)),
    name,
    greeting: { kind: "standard", phrase: "welcome" },
    language: null,
    keys: [],
    direct_extensions: false,
    first_key_seconds: 7,
    next_key_seconds: 3,
    no_input: { times: 2, then: { kind: "hang_up" } },
    invalid: { times: 2, then: { kind: "hang_up" } },
  };
}

export function newAttendant(plan: Plan): Attendant {
  const menu = newMenu({ menus: [] }, "Main menu");
  return {
    kind: "attendant",
    service_id: freshId("attendant", (plan.voice_services ?? []).map((one) => one.service_id)),
    name: "",
    extension: "",
    aliases: [],
    enabled: true,
    permission: null,
    language: "en",
    menus: [{ ...menu, direct_extensions: true }],
    first_menu: menu.menu_id,
    by_time: [],
    special_menu: null,
    special_mode: false,
    operator: null,
    permissions: [],
    unlisted: [],
    longest_seconds: 900,
  };
}

export function withMenu(attendant: Attendant, menu: AttendantMenu): Attendant {
  const there = attendant.menus.some((one) => one.menu_id === menu.menu_id);
  const menus = there ? attendant.menus.map((one) => (one.menu_id === menu.menu_id ? menu : one)) : [...attendant.menus, menu];
  return { ...attendant, menus };
}

export function withKey(menu: AttendantMenu, key: MenuKey["key"], changed: MenuKey | undefined): AttendantMenu {
  const others = (menu.keys ?? []).filter((one) => one.key !== key);
  return { ...menu, keys: changed ? [...others, changed] : others };
}

/** What still names a menu; it cannot go before that does. */
export function usesOf(attendant: Attendant, menuId: string): string[] {
  const found: string[] = [];
  if (attendant.first_menu === menuId) found.push("calls begin with it");
  if (attendant.special_menu === menuId) found.push("special mode");
  if ((attendant.by_time ?? []).some((one) => one.menu_id === menuId)) found.push("a schedule");
  for (const menu of attendant.menus) {
    if (menu.menu_id === menuId) continue;
    for (const key of menu.keys ?? [])
      if (key.action.kind === "menu" && key.action.menu_id === menuId) found.push(`key ${key.key} of ${menu.name || menu.menu_id}`);
    for (const patience of [menu.no_input, menu.invalid])
      if (patience?.then?.kind === "menu" && patience.then.menu_id === menuId)
        found.push(`callers of ${menu.name || menu.menu_id} who find no way`);
  }
  return found;
}

export function withoutMenu(attendant: Attendant, menuId: string): Attendant {
  return { ...attendant, menus: attendant.menus.filter((menu) => menu.menu_id !== menuId) };
}

/** An action of another kind, with the least that it needs. */
export function actionOf(kind: KeyAction["kind"], attendant: Attendant): KeyAction {
  switch (kind) {
    case "dial":
      return { kind, destination: "" };
    case "menu":
      return { kind, menu_id: attendant.first_menu };
    case "voicemail":
      return { kind, mailbox: "" };
    case "announcement":
      return { kind, greeting: { kind: "spoken", text: "" } };
    default:
      return { kind } as KeyAction;
  }
}

/** What is missing before the API is asked. */
export function missing(attendant: Attendant): Map<string, string> {
  const wrong = new Map<string, string>();
  if (!attendant.name.trim()) wrong.set("name", "The attendant needs a name");
  if (!/^[0-9]{1,15}$/.test(attendant.extension)) wrong.set("extension", "The extension is 1 to 15 digits");
  const texts: string[] = [];
  for (const menu of attendant.menus) {
    const where = menu.name || menu.menu_id;
    if (!menu.name.trim()) texts.push("Every menu needs a name");
    if (menu.greeting?.kind === "spoken" && !menu.greeting.text) texts.push(`${where}: the text of the greeting is empty`);
    if (menu.greeting?.kind === "uploaded" && !menu.greeting.digest) texts.push(`${where}: the greeting has no file yet`);
    for (const key of menu.keys ?? []) {
      const { action } = key;
      if (action.kind === "dial" && !action.destination) texts.push(`${where}, key ${key.key}: whom does it connect to?`);
      if (action.kind === "voicemail" && !action.mailbox) texts.push(`${where}, key ${key.key}: whose mailbox?`);
      if (action.kind === "announcement" && action.greeting.kind === "spoken" && !action.greeting.text)
        texts.push(`${where}, key ${key.key}: the announcement is empty`);
      if (action.kind === "announcement" && action.greeting.kind === "uploaded" && !action.greeting.digest)
        texts.push(`${where}, key ${key.key}: the announcement has no file yet`);
    }
    for (const patience of [menu.no_input, menu.invalid]) {
      const then = patience?.then;
      if ((then?.kind === "dial" && !then.destination) || (then?.kind === "voicemail" && !then.mailbox))
        texts.push(`${where}: where do callers go who find no way?`);
    }
  }
  if (texts.length > 0) wrong.set("menus", texts.join(". "));
  return wrong;
}
