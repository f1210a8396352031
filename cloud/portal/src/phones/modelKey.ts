/** Which device model an unknown phone seems to be. */
import type { DeviceModel, UnknownPhone } from "../api/types";

type Named = Pick<DeviceModel, "key" | "vendor" | "name">;

/** The model's key when vendor and model name one; null leaves the choice open rather than guess. */
export function modelKeyOf(phone: Pick<UnknownPhone, "vendor" | "model">, models: readonly Named[]): string | null {
  const plain = (text: string) => text.toLowerCase().replace(/[^0-9a-z]/g, "");
  const named = plain(phone.model).replace(/^sip/, "");
  if (!named) return null;
  const fitting = models.filter(
    (model) => plain(model.vendor) === plain(phone.vendor) && plain(model.name).replace(/^sip/, "") === named,
  );
  return fitting.length === 1 ? (fitting[0]?.key ?? null) : null;
}
