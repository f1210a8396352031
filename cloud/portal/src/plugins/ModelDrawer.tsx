/** All that can be set on a model: what it is called, explained, limited to, and its default; searchable. */
import { Drawer, Stack, Text, TextInput, Title } from "@mantine/core";
import { useState } from "react";

import type { DeviceModelSummary, ModelSetting } from "../api/types";
import { foundSettings } from "../devices/search";
import { defaultText } from "../devices/settings";
import { useDeviceModel } from "../devices/useDevices";
import { Loaded } from "../shell/Page";
import { SearchIcon } from "../shell/icons";

interface Props {
  model: DeviceModelSummary;
  tenantId: string | undefined;
  onClose: () => void;
}

export function ModelDrawer({ model, tenantId, onClose }: Props) {
  const query = useDeviceModel(model.key, tenantId);
  const [search, setSearch] = useState("");
  return (
    <Drawer
      opened
      onClose={onClose}
      title={model.label}
      position="right"
      size="lg"
      closeButtonProps={{ "aria-label": "Close" }}
    >
      <Stack gap="md">
        <Text size="sm" c="dimmed">
          {model.lines} {model.lines === 1 ? "line" : "lines"}, fetches its files by{" "}
          {model.https ? "HTTPS where the edge has a certificate for it" : "HTTP or TFTP"}. Its key is{" "}
          <span className="mono">{model.key}</span>.
        </Text>
        <TextInput
          aria-label="Find a setting"
          placeholder="Find a setting, such as codec"
          leftSection={<SearchIcon size={16} />}
          value={search}
          onChange={(event) => setSearch(event.currentTarget.value)}
        />
        <Loaded query={query}>
          {(found) => {
            const groups = search.trim() ? foundSettings(found.groups, search) : found.groups;
            if (groups.length === 0) return <Text c="dimmed">No setting of this name.</Text>;
            return (
              <>
                {groups.map((group) => (
                  <section key={group.name} aria-label={group.label}>
                    <Title order={3} size="h5" mb={6}>
                      {group.label}
                    </Title>
                    <dl className="settings-list">
                      {group.settings.map((setting) => (
                        <Described key={setting.path} setting={setting} />
                      ))}
                    </dl>
                  </section>
                ))}
              </>
            );
          }}
        </Loaded>
      </Stack>
    </Drawer>
  );
}

function Described({ setting }: { setting: ModelSetting }) {
  return (
    <div>
      <dt>
        {setting.label} <span className="mono wrap-anywhere">{setting.path}</span>
      </dt>
      <dd>
        {setting.help ? `${setting.help} ` : ""}
        {kindText(setting)} Default: {defaultText(setting)}.
      </dd>
    </div>
  );
}

function kindText(setting: ModelSetting): string {
  switch (setting.type) {
    case "boolean":
      return "On or off.";
    case "enum":
      return `One of: ${setting.options.map((option) => option.label).join(", ")}.`;
    case "integer": {
      const { minimum, maximum } = setting;
      if (minimum === null && maximum === null) return "A whole number.";
      return `A whole number${minimum === null ? "" : ` from ${minimum}`}${maximum === null ? "" : ` to ${maximum}`}.`;
    }
    default:
      return `Text of at most ${setting.max_length} characters.`;
  }
}
