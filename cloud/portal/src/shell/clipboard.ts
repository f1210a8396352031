/** Copying text, also where the portal is served without TLS and browsers keep the clipboard API to themselves. */

export async function copyText(text: string): Promise<void> {
  if (window.isSecureContext) {
    await navigator.clipboard.writeText(text);
    return;
  }
  const area = document.createElement("textarea");
  area.value = text;
  area.style.position = "fixed";
  area.style.opacity = "0";
  // Within a dialog the focus is kept inside, so the text must be there too.
  (document.activeElement?.closest("[role=dialog]") ?? document.body).append(area);
  area.select();
  document.execCommand("copy");
  area.remove();
}
