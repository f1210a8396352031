/** A button that saves a text as a file on the machine. */
import { Button } from "@mantine/core";

interface Props {
  /** Of the file. */
  name: string;
  text: string;
  label: string;
  type?: string;
}

export function DownloadText({ name, text, label, type = "text/plain" }: Props) {
  return (
    <Button variant="default" onClick={() => saveText(name, text, type)}>
      {label}
    </Button>
  );
}

/** Have the browser save `text`; its name keeps no folder. */
export function saveText(name: string, text: string, type: string): void {
  const url = URL.createObjectURL(new Blob([text], { type: `${type};charset=utf-8` }));
  const link = document.createElement("a");
  link.href = url;
  link.download = name.replaceAll(/[/\\]/g, "_");
  link.click();
  URL.revokeObjectURL(url);
}
