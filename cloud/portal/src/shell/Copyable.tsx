/** A text to take along, such as a command, and the button that copies it. */
import { Button, Group, Stack, Text } from "@mantine/core";
import { useState } from "react";

import { copyText } from "./clipboard";
import { CheckIcon, CopyIcon } from "./icons";
import { tellProblem } from "./notices";

const SHOWN_MILLISECONDS = 2500;

export function Copyable({ label, text }: { label: string; text: string }) {
  const [copied, setCopied] = useState(false);
  const copy = () => {
    copyText(text).then(() => {
      setCopied(true);
      setTimeout(() => setCopied(false), SHOWN_MILLISECONDS);
    }, tellProblem);
  };
  return (
    <Stack gap={6}>
      <Group justify="space-between" align="center">
        <Text size="sm" fw={560}>
          {label}
        </Text>
        <Button
          size="compact-sm"
          variant={copied ? "light" : "default"}
          leftSection={copied ? <CheckIcon size={14} /> : <CopyIcon size={14} />}
          onClick={copy}
          aria-label={copied ? `${label}: copied` : `Copy ${label.toLowerCase()}`}
        >
          {copied ? "Copied" : "Copy"}
        </Button>
      </Group>
      <code className="secret mono">{text}</code>
    </Stack>
  );
}
