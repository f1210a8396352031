/** Levels above a device: tenant, site and device groups, each with settings for all models, a vendor's or one model. */
import type { Inheritance, Settings } from "../devices/settings";

/** `*`, `<vendor>` or `<vendor>/<model>` → path → value. */
export type LevelSettings = Readonly<Record<string, Settings>>;

export interface LevelBelow {
  /** Who says it, such as “tenant Bakery”. */
  name: string;
  settings: LevelSettings;
}

/** The scopes that a scope takes values from, the narrowest first and itself at the head. */
export function widerScopes(scope: string): string[] {
  if (scope === "*") return ["*"];
  const vendor = scope.split("/")[0] ?? scope;
  return scope === vendor ? [scope, "*"] : [scope, vendor, "*"];
}

/**
 * What would count for `scope` on a level if nothing were set there for it: what the level itself says for wider
 * scopes, then what the levels below say, the nearest first.
 */
export function inheritanceAt(scope: string, own: LevelBelow, below: readonly LevelBelow[]): Inheritance {
  const found: Inheritance = {};
  const [, ...wider] = widerScopes(scope);
  const places = [
    ...wider.map((one) => ({ level: own, scope: one })),
    ...below.flatMap((level) => widerScopes(scope).map((one) => ({ level, scope: one }))),
  ];
  for (const { level, scope: one } of places.reverse()) {
    const origin = one === "*" ? level.name : `${level.name}, for ${one}`;
    for (const [path, value] of Object.entries(level.settings[one] ?? {})) found[path] = { value, origin };
  }
  return found;
}

/** How many settings a level sets for a scope. */
export function countAt(settings: LevelSettings, scope: string): number {
  return Object.keys(settings[scope] ?? {}).length;
}
