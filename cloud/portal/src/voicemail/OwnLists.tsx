/** A user's own distribution lists: which mailboxes a digit behind the star stands for at the phone. */
import { Group, MultiSelect, Select } from "@mantine/core";
import { useState } from "react";

import { api, bodyOf } from "../api/client";
import { refresh, useLive } from "../api/live";
import { tellDone, tellProblem } from "../shell/notices";

const DIGITS = "0123456789".split("");
const MOST = 50;

export function OwnLists({ userId }: { userId: string }) {
  const params = { path: { user_id: userId } };
  const key = ["voicemail-lists", userId];
  const lists = useLive(key, (init) => api.GET("/users/{user_id}/mailbox/lists", { ...init, params }), { poll: false });
  const [digit, setDigit] = useState("1");
  if (!lists.data) return null;
  const { items, mailboxes } = lists.data;
  const members = items.find((one) => one.digit === digit)?.members ?? [];
  const save = async (wanted: string[]) => {
    try {
      const path = { user_id: userId, digit };
      await bodyOf(api.PUT("/users/{user_id}/mailbox/lists/{digit}", { params: { path }, body: { members: wanted } }));
      await refresh(key);
      tellDone(`List ${digit} was saved`);
    } catch (error) {
      tellProblem(error);
    }
  };
  return (
    <Group align="flex-start" gap="xs">
      <Select
        label="List"
        w={90}
        allowDeselect={false}
        data={DIGITS.map((one) => ({ value: one, label: items.some((each) => each.digit === one) ? `${one} \u2022` : one }))}
        value={digit}
        onChange={(value) => setDigit(value ?? "1")}
      />
      <MultiSelect
        label={`Mailboxes on list ${digit}`}
        description={`At the phone: *${digit} where an extension is asked for`}
        searchable
        maxValues={MOST}
        flex={1}
        miw={200}
        data={mailboxes.map((one) => ({ value: one.id, label: one.extension ? `${one.name} (${one.extension})` : one.name }))}
        value={members}
        onChange={(wanted) => void save(wanted)}
      />
    </Group>
  );
}
