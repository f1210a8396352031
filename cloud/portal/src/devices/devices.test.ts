import { describe, expect, it } from "vitest";

import type { ModelSetting } from "../api/types";
import { modelKeyOf } from "../phones/modelKey";
import { showMac, typeMac } from "./mac";
import { inheritanceOf, settingsPatch, valueOf, withValue } from "./settings";

describe("MAC addresses", () => {
  it("are shown with colons", () => {
    expect(showMac("805EC0000200")).toBe("80:5e:c0:00:02:00");
    expect(showMac("not one")).toBe("not one");
  });

  it.each(["805ec0000200", "80:5E:C0:00:02:00", "80-5e-c0-00-02-00", "805e.c000.0200", " 80 5e c0 00 02 00 "])(
    "are understood as people write them: %s",
    (typed) => expect(typeMac(typed)).toBe("80:5e:c0:00:02:00"),
  );

  it("grow while they are typed, can be taken back, and stay visible when they are wrong", () => {
    expect(typeMac("805")).toBe("80:5");
    expect(typeMac("80:")).toBe("80");
    expect(typeMac("80:5x")).toBe("80:5x");
    expect(typeMac("805ec00002001")).toBe("805ec00002001");
  });
});

const expires: ModelSetting = {
  path: "sip/expires",
  type: "integer",
  default: 600,
  label: "Expires",
  help: "",
  advanced: false,
  minimum: 60,
  maximum: 86400,
  max_length: 255,
  options: [],
};

describe("device settings", () => {
  it("fall back to the model's default, which is never kept", () => {
    expect(valueOf({}, expires)).toBe(600);
    expect(withValue({}, expires, 300)).toEqual({ "sip/expires": 300 });
    expect(withValue({ "sip/expires": 300 }, expires, 600)).toEqual({});
  });

  it("come from the nearest level that has them, and what is inherited is not kept", () => {
    const default_ = { origin: "default" as const, source: "", value: 600 };
    const site = { origin: "site" as const, source: "Shop", value: 900 };
    const own = { path: "sip/expires", origin: "device" as const, source: "", value: 300, others: [site, default_] };
    const inheritance = inheritanceOf([own, { path: "a", ...default_, others: [] }]);
    expect(inheritance).toEqual({ "sip/expires": { value: 900, origin: "site Shop" } });
    expect(valueOf({}, expires, inheritance["sip/expires"])).toBe(900);
    expect(withValue({}, expires, 900, inheritance["sip/expires"])).toEqual({});
    expect(withValue({}, expires, 600, inheritance["sip/expires"])).toEqual({ "sip/expires": 600 });
  });

  it("are patched by what changed, null for back to default", () => {
    expect(settingsPatch({ a: 1, b: true, c: "x" }, { b: true, c: "y", d: 2 })).toEqual({ a: null, c: "y", d: 2 });
  });
});

describe("an unknown phone's model", () => {
  const models = [
    { key: "yealink/t54w", vendor: "yealink", name: "t54w" },
    { key: "yealink/t46u", vendor: "yealink", name: "t46u" },
  ];
  it("is found by vendor and model however it writes them", () => {
    expect(modelKeyOf({ vendor: "Yealink", model: "SIP-T54W" }, models)).toBe("yealink/t54w");
  });
  it("is left open rather than guessed", () => {
    expect(modelKeyOf({ vendor: "yealink", model: "" }, models)).toBeNull();
    expect(modelKeyOf({ vendor: "yealink", model: "T5" }, models)).toBeNull();
    expect(modelKeyOf({ vendor: "other", model: "t54w" }, models)).toBeNull();
  });
});
