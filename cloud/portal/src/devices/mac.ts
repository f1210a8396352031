/** MAC addresses as people type and read them. */

/** `80:5e:c0:00:02:00` from the API's twelve digits; anything else stays as it is. */
export function showMac(mac: string): string {
  return /^[0-9a-f]{12}$/i.test(mac) ? (mac.toLowerCase().match(/../g) ?? []).join(":") : mac;
}

/** Colons at their places while somebody types; what cannot be a MAC address stays visible, to be corrected. */
export function typeMac(typed: string): string {
  const digits = typed.replace(/[\s:.-]/g, "");
  if (!/^[0-9a-f]{0,12}$/i.test(digits)) return typed;
  return (digits.toLowerCase().match(/.{1,2}/g) ?? []).join(":");
}
