/** Finding settings by what they are called, explained or written as. */
import type { ModelGroup } from "../api/types";

/** The groups with only the settings in which every word is found, by name, help, path or choice. */
export function foundSettings(groups: readonly ModelGroup[], search: string): ModelGroup[] {
  const words = search.toLowerCase().split(/\s+/).filter(Boolean);
  return groups
    .map((group) => ({
      ...group,
      settings: group.settings.filter((setting) => {
        const choices = setting.options.map((option) => option.label);
        const text = [group.label, setting.label, setting.help, setting.path, ...choices].join(" ").toLowerCase();
        return words.every((word) => text.includes(word));
      }),
    }))
    .filter((group) => group.settings.length > 0);
}
