/** Device settings: what differs from the model's defaults, and what a change of it says to the API. */
import type { DeviceModel, ModelSetting, ResolvedSetting } from "../api/types";

export type SettingValue = string | number | boolean;
export type Settings = Record<string, SettingValue>;

/** What a device takes where it says nothing itself, and who says so. */
export interface Inherited {
  value: SettingValue;
  origin: string;
}

/** By setting path; what is not in it comes from the model's default. */
export type Inheritance = Record<string, Inherited>;

const PLACES: Record<string, string> = { dial_plan: "dial plan", tenant: "tenant", site: "site", group: "device group" };

/** What groups, site and tenant say, from the resolved settings of a device. */
export function inheritanceOf(resolved: readonly ResolvedSetting[]): Inheritance {
  const found: Inheritance = {};
  for (const one of resolved) {
    const step = [one, ...one.others].find(({ origin }) => origin !== "device" && origin !== "default");
    if (!step) continue;
    found[one.path] = { value: step.value, origin: `${PLACES[step.origin] ?? step.origin} ${step.source}`.trim() };
  }
  return found;
}

/** The value that counts: the device's own, else what it inherits, else the model's default. */
export function valueOf(settings: Settings, setting: ModelSetting, inherited?: Inherited): SettingValue {
  return settings[setting.path] ?? inherited?.value ?? setting.default;
}

/** `settings` with one value; what the device would have anyway is not kept, for it follows those who say it. */
export function withValue(
  settings: Settings,
  setting: ModelSetting,
  value: SettingValue,
  inherited?: Inherited,
): Settings {
  const { [setting.path]: _, ...others } = settings;
  return value === (inherited?.value ?? setting.default) ? others : { ...others, [setting.path]: value };
}

/** The merge patch from `before` to `after`: null takes a setting back to its default. */
export function settingsPatch(before: Settings, after: Settings): Record<string, SettingValue | null> {
  const gone = Object.keys(before).filter((path) => !(path in after));
  const changed = Object.entries(after).filter(([path, value]) => before[path] !== value);
  return Object.fromEntries([...gone.map((path) => [path, null] as const), ...changed]);
}

/** Only what this model knows, as when the model is changed. */
export function settingsOfModel(settings: Settings, model: DeviceModel): Settings {
  const known = new Set(model.groups.flatMap((group) => group.settings.map((setting) => setting.path)));
  return Object.fromEntries(Object.entries(settings).filter(([path]) => known.has(path)));
}

/** A default as the form shows it. */
export function defaultText(setting: ModelSetting, inherited?: Inherited): string {
  const value = inherited?.value ?? setting.default;
  if (typeof value === "boolean") return value ? "on" : "off";
  if (value === "") return "empty";
  const option = setting.options.find((one) => one.value === value);
  return option?.label ?? String(value);
}
