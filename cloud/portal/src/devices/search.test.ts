import { describe, expect, it } from "vitest";

import type { ModelGroup } from "../api/types";
import { foundSettings } from "./search";

const setting = (path: string, label: string) => ({ path, label, help: "", options: [] });
const groups = [
  { name: "time", label: "Time", help: "", settings: [setting("time/ntp_server", "Time server")] },
  { name: "sip", label: "SIP", help: "", settings: [setting("sip/transport", "Transport"), setting("sip/srtp", "Encrypted voice")] },
] as unknown as ModelGroup[];

describe("finding settings", () => {
  it("takes every word anywhere in name, path or group, whatever its case", () => {
    expect(foundSettings(groups, "NTP").map((group) => group.name)).toEqual(["time"]);
    expect(foundSettings(groups, "sip voice")[0]?.settings.map((one) => one.path)).toEqual(["sip/srtp"]);
    expect(foundSettings(groups, "sip time")).toEqual([]);
  });
});
