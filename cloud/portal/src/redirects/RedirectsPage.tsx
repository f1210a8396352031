/** A tenant's accounts at vendors' redirect services: how new phones learn where their server is. */
import { Badge, Button, Group, Text } from "@mantine/core";
import { useMemo, useState } from "react";

import { api, bodyOf, ifMatch } from "../api/client";
import { refresh, useLiveAll } from "../api/live";
import type { RedirectAccount } from "../api/types";
import { Confirm } from "../shell/Confirm";
import { DataTable, type Column } from "../shell/DataTable";
import { Empty, Loaded, Page } from "../shell/Page";
import { RowActions } from "../shell/RowActions";
import { State } from "../shell/State";
import { Ago } from "../shell/When";
import { PlusIcon } from "../shell/icons";
import { tellDone, tellProblem } from "../shell/notices";
import { useTenants } from "../tenants/useTenants";
import { RedirectForm } from "./RedirectForm";
import { serviceLabel } from "./services";

export function RedirectsPage() {
  const accounts = useLiveAll<RedirectAccount>(["redirect-accounts"], (init, cursor) =>
    api.GET("/redirect-accounts", { ...init, params: { query: { limit: 200, cursor } } }),
  );
  const tenants = useTenants();
  const names = useMemo(() => new Map(tenants.data?.map((tenant) => [tenant.id, tenant.name])), [tenants.data]);
  const [edited, setEdited] = useState<RedirectAccount | "new" | null>(null);
  const [deleted, setDeleted] = useState<RedirectAccount | null>(null);
  const nameOf = (account: RedirectAccount) =>
    `${serviceLabel(account.service)} of ${names.get(account.tenant_id) ?? "the tenant"}`;
  const columns: Column<RedirectAccount>[] = [
    {
      title: "Service",
      cell: (account) => (
        <div>
          <Text size="sm" fw={550}>
            {serviceLabel(account.service)}
          </Text>
          <Text size="xs" c="dimmed" className="wrap-anywhere">
            {account.username}
          </Text>
        </div>
      ),
    },
    { title: "Tenant", cell: (account) => names.get(account.tenant_id) ?? "" },
    { title: "Phones are sent to", cell: (account) => <span className="mono wrap-anywhere">{account.phones_url}</span> },
    { title: "Phones", cell: (account) => <Phones account={account} /> },
    { title: "Log-in", cell: (account) => <LogIn account={account} name={nameOf(account)} /> },
    {
      title: "",
      align: "right",
      cell: (account) => (
        <RowActions
          name={nameOf(account)}
          onEdit={() => setEdited(account)}
          onDelete={() => setDeleted(account)}
        />
      ),
    },
  ];
  const newButton = (
    <Button leftSection={<PlusIcon size={16} />} onClick={() => setEdited("new")}>
      New account
    </Button>
  );
  return (
    <Page title="Redirect services" actions={newButton}>
      <Loaded query={accounts}>
        {(all) =>
          all.length === 0 ? (
            <div className="card">
              <Empty title="No redirect accounts yet" action={newButton}>
                A new phone asks its maker where its server is. With an account at the maker’s service, Tandem tells it
                for every phone that you add, and takes it back for every phone that you remove.
              </Empty>
            </div>
          ) : (
            <DataTable label="Redirect accounts" columns={columns} rows={all} rowKey={(account) => account.id} />
          )
        }
      </Loaded>
      {edited !== null ? (
        <RedirectForm account={edited === "new" ? undefined : edited} onClose={() => setEdited(null)} />
      ) : null}
      {deleted ? (
        <Confirm
          title="Delete this account?"
          action="Delete account"
          run={async () => {
            const params = { path: { redirect_account_id: deleted.id }, header: ifMatch(deleted.version) };
            await bodyOf(api.DELETE("/redirect-accounts/{redirect_account_id}", { params }));
            await refresh(["redirect-accounts"]);
            tellDone("The account was deleted");
          }}
          onClose={() => setDeleted(null)}
        >
          {serviceLabel(deleted.service)} is no longer told of phones. While it still sends some, disable the account
          first: that takes back what it was told.
        </Confirm>
      ) : null}
    </Page>
  );
}

function Phones({ account }: { account: RedirectAccount }) {
  const { pushed = 0, pending = 0, removing = 0, failed = 0 } = account.phones;
  return (
    <Group gap={4}>
      {account.enabled ? null : <Badge color="gray">Disabled</Badge>}
      <Badge color="gray">{pushed} redirected</Badge>
      {pending + removing > 0 ? <Badge color="blue">{pending + removing} on the way</Badge> : null}
      {failed > 0 ? <Badge color="red">{failed} failed</Badge> : null}
    </Group>
  );
}

function LogIn({ account, name }: { account: RedirectAccount; name: string }) {
  const [asking, setAsking] = useState(false);
  const check = async () => {
    setAsking(true);
    try {
      const params = { path: { redirect_account_id: account.id } };
      await bodyOf(api.POST("/redirect-accounts/{redirect_account_id}/check", { params }));
    } catch (error) {
      tellProblem(error);
    } finally {
      await refresh(["redirect-accounts"]);
      setAsking(false);
    }
  };
  const pending = account.check_state === "pending";
  return (
    <Group gap="xs" wrap="nowrap">
      <Checked account={account} />
      <Button
        size="compact-xs"
        variant="default"
        loading={asking || pending}
        onClick={() => void check()}
        aria-label={`Test ${name}`}
      >
        Test
      </Button>
    </Group>
  );
}

function Checked({ account }: { account: RedirectAccount }) {
  const detail = account.checked_at ? <Ago at={account.checked_at} /> : undefined;
  if (account.check_state === "good") return <State tone="good" label="Works" detail={detail} />;
  if (account.check_state === "bad") {
    return <State tone="bad" label="Does not work" detail={account.check_text || detail} />;
  }
  if (account.check_state === "pending") return <State tone="waiting" label="Being tried" />;
  return <State tone="idle" label="Not tried" />;
}
