/** Device settings: what differs from the model's defaults, and what a change of it says to the API. */
import type { DeviceModel, ModelSetting } from "../api/types";

export type SettingValue = string | number | boolean;
export type Settings = Record<string, SettingValue>;

/** The value that counts: the device's own, else the model's default. */
export function valueOf(settings: Settings, setting: ModelSetting): SettingValue {
  return settings[setting.path] ?? setting.default;
}

/** `settings` with one value; the default is not kept, for it follows the model. */
export function withValue(settings: Settings, setting: ModelSetting, value: SettingValue): Settings {
  const { [setting.path]: _, ...others } = settings;
  return value === setting.default ? others : { ...others, [setting.path]: value };
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
export function defaultText(setting: ModelSetting): string {
  if (typeof setting.default === "boolean") return setting.default ? "on" : "off";
  if (setting.default === "") return "empty";
  const option = setting.options.find((one) => one.value === setting.default);
  return option?.label ?? String(setting.default);
}
