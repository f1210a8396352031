/** What phones of a site asked for and did not get, and why; the phones themselves are not told. */
import { Stack, Text, Title } from "@mantine/core";

import { api, bodyOf } from "../api/client";
import { refresh, useLiveAll } from "../api/live";
import type { PhoneRefusal, Site } from "../api/types";
import { showMac } from "../devices/mac";
import { DataTable, type Column } from "../shell/DataTable";
import { RowActions } from "../shell/RowActions";
import { Ago } from "../shell/When";
import { tellProblem } from "../shell/notices";
import { reasonText } from "./refusalText";

export function Refusals({ site }: { site: Site }) {
  const refusals = useLiveAll<PhoneRefusal>(["phone-refusals", site.id], (init, cursor) =>
    api.GET("/phone-refusals", { ...init, params: { query: { site_id: site.id, limit: 200, cursor } } }),
  );
  if (!refusals.data || refusals.data.length === 0) return null;
  const forget = (refusal: PhoneRefusal) => {
    const params = { path: { refusal_id: refusal.id } };
    bodyOf(api.DELETE("/phone-refusals/{refusal_id}", { params })).then(
      () => refresh(["phone-refusals", site.id]),
      tellProblem,
    );
  };
  const named = (refusal: PhoneRefusal) => (refusal.mac ? showMac(refusal.mac) : refusal.address);
  const columns: Column<PhoneRefusal>[] = [
    { title: "Phone", cell: (refusal) => <span className="mono">{named(refusal)}</span> },
    { title: "Why", cell: (refusal) => reasonText(refusal.reason) },
    { title: "From", cell: (refusal) => `${refusal.address} (${refusal.protocol.toUpperCase()})` },
    { title: "Last time", cell: (refusal) => <Ago at={refusal.last_seen_at} /> },
    { title: "Times", cell: (refusal) => refusal.times_seen },
    {
      title: "",
      align: "right",
      cell: (refusal) => (
        <RowActions name={named(refusal)} onDelete={() => forget(refusal)} deleteLabel="Forget" />
      ),
    },
  ];
  return (
    <Stack gap="xs" mt="xl">
      <Title order={3}>Refused</Title>
      <Text c="dimmed" size="sm">
        What phones asked for and did not get. They are not told why.
      </Text>
      <DataTable label="Refused" columns={columns} rows={refusals.data} rowKey={(refusal) => refusal.id} />
    </Stack>
  );
}
