/** Phones that asked this site's edge for a configuration and are not known: adopt them, or forget them. */
import { Button, Group, Text } from "@mantine/core";
import { useState } from "react";

import { api, bodyOf } from "../api/client";
import { refresh, useLiveAll } from "../api/live";
import type { LineWithPassword, Site, UnknownPhone } from "../api/types";
import { DeviceForm } from "../devices/DeviceForm";
import { showMac } from "../devices/mac";
import { useDeviceModels } from "../devices/useDevices";
import { DataTable, type Column } from "../shell/DataTable";
import { Empty, Loaded } from "../shell/Page";
import { RowActions } from "../shell/RowActions";
import { Ago } from "../shell/When";
import { tellProblem } from "../shell/notices";
import { LineSecret } from "../users/UserLines";
import { Refusals } from "./Refusals";
import { modelKeyOf } from "./modelKey";
import { certaintyText } from "./refusalText";

export function UnknownPhonesTab({ site }: { site: Site }) {
  const phones = useLiveAll<UnknownPhone>(["unknown-phones", site.id], (init, cursor) =>
    api.GET("/unknown-phones", { ...init, params: { query: { site_id: site.id, limit: 200, cursor } } }),
  );
  const models = useDeviceModels(site.tenant_id);
  const [adopted, setAdopted] = useState<UnknownPhone | null>(null);
  const [made, setMade] = useState<LineWithPassword[]>([]);
  const forget = (phone: UnknownPhone) => {
    const params = { path: { phone_id: phone.id } };
    bodyOf(api.DELETE("/unknown-phones/{phone_id}", { params })).then(() => refresh(["unknown-phones", site.id]), tellProblem);
  };
  const named = (phone: UnknownPhone) => (phone.mac ? showMac(phone.mac) : phone.address);
  const kindOf = (phone: UnknownPhone) => {
    const known = models.data?.items.find((model) => model.key === modelKeyOf(phone, models.data.items));
    return known?.label ?? ([phone.vendor, phone.model].filter(Boolean).join(" ") || "unknown kind");
  };
  const columns: Column<UnknownPhone>[] = [
    { title: "MAC address", cell: (phone) => <span className="mono">{phone.mac ? showMac(phone.mac) : "not told"}</span> },
    {
      title: "Phone",
      cell: (phone) => (
        <div>
          {kindOf(phone)}
          <Text size="xs" c="dimmed">
            {[phone.firmware ? `firmware ${phone.firmware}` : "", certaintyText(phone.certainty)]
              .filter(Boolean)
              .join(", ")}
          </Text>
        </div>
      ),
    },
    {
      title: "From",
      cell: (phone) => (
        <div>
          {`${phone.address} (${phone.protocol.toUpperCase()})`}
          {phone.switch_port ? (
            <Text size="xs" c="dimmed">
              port {phone.switch_port}
            </Text>
          ) : null}
        </div>
      ),
    },
    { title: "Last asked", cell: (phone) => <Ago at={phone.last_seen_at} /> },
    { title: "Times", cell: (phone) => phone.times_seen },
    {
      title: "",
      align: "right",
      cell: (phone) => (
        <Group gap="xs" wrap="nowrap" justify="flex-end">
          <Button size="compact-sm" variant="light" onClick={() => setAdopted(phone)} aria-label={`Adopt ${named(phone)}`}>
            Adopt
          </Button>
          <RowActions name={named(phone)} onDelete={() => forget(phone)} deleteLabel="Forget" />
        </Group>
      ),
    },
  ];
  return (
    <>
      <Loaded query={phones}>
        {(all) =>
          all.length === 0 ? (
            <div className="card">
              <Empty title="No unknown phones">
                Plug a phone in at the site and let it fetch its configuration from the edge: if it is not known, it
                appears here and can be adopted.
              </Empty>
            </div>
          ) : (
            <DataTable label="Unknown phones" columns={columns} rows={all} rowKey={(phone) => phone.id} />
          )
        }
      </Loaded>
      <Refusals site={site} />
      {adopted ? (
        <DeviceForm
          site={site}
          known={{ mac: adopted.mac ?? "", model: modelKeyOf(adopted, models.data?.items ?? []), name: "" }}
          onMade={setMade}
          onClose={() => setAdopted(null)}
        />
      ) : null}
      {made.length > 0 ? <LineSecret lines={made} onClose={() => setMade([])} /> : null}
    </>
  );
}
