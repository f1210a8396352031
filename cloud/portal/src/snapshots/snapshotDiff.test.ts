import { describe, expect, it } from "vitest";

import { recordChanges } from "./snapshotDiff";

describe("what a version changed", () => {
  it("is told field by field, with what was before", () => {
    const before = {
      site: { name: "Main", time_zone: "UTC" },
      users: [
        { user_id: "1", display_name: "Reception", enabled: true },
        { user_id: "2", display_name: "Workshop" },
      ],
    };
    const diff = {
      from_version: 1,
      to_version: 2,
      changes: [
        { section: "site", change: "replaced", content: { name: "Main", time_zone: "Europe/Berlin" }, upserted: [], removed: [] },
        {
          section: "users",
          change: "records",
          upserted: [
            { user_id: "1", display_name: "Reception", enabled: false },
            { user_id: "3", display_name: "Door" },
          ],
          removed: ["2"],
        },
      ],
    };
    const changes = recordChanges(diff, before);
    expect(changes.map(({ name, change }) => [name, change])).toEqual([
      ["", "changed"],
      ["Reception", "changed"],
      ["Door", "added"],
      ["Workshop", "removed"],
    ]);
    expect(changes[0]?.fields).toEqual([{ field: "time_zone", before: "UTC", after: "Europe/Berlin" }]);
    expect(changes[1]?.fields).toEqual([{ field: "enabled", before: true, after: false }]);
  });
});
