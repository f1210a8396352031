import { describe, expect, it } from "vitest";

import { changesOf, mergeDraft } from "./draft";

const base = { name: "Reception", email: "", aliases: ["info"], enabled: true };

describe("a draft", () => {
  it("sends only what differs from where it began", () => {
    expect(changesOf(base, { ...base, name: "Lobby", aliases: ["info"] })).toEqual({ name: "Lobby" });
  });

  it("keeps what was typed and takes what others changed elsewhere", () => {
    const merged = mergeDraft(base, { ...base, name: "Lobby" }, { ...base, email: "a@b", enabled: false });
    expect(merged).toEqual({ draft: { ...base, name: "Lobby", email: "a@b", enabled: false }, theirs: {} });
  });

  it("names what both changed, and keeps ours", () => {
    const merged = mergeDraft(base, { ...base, name: "Lobby" }, { ...base, name: "Entrance" });
    expect(merged).toEqual({ draft: { ...base, name: "Lobby" }, theirs: { name: "Entrance" } });
  });

  it("sees no conflict where both changed to the same", () => {
    const both = { ...base, name: "Lobby" };
    expect(mergeDraft(base, both, both).theirs).toEqual({});
  });

  it("puts settings together key by key, and keeps what was taken back", () => {
    const before = { settings: { a: 1, b: 1, c: 1, d: 1 } };
    const ours = { settings: { a: 2, b: 2, d: 1 } };
    const others = { settings: { a: 1, b: 3, c: 1, d: 4, e: 5 } };
    const merged = mergeDraft(before, ours, others);
    expect(merged.draft.settings).toEqual({ a: 2, b: 2, d: 4, e: 5 });
    expect(merged.theirs).toEqual({ "settings.b": 3 });
  });
});
