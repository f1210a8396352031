/** Making or changing an account at a vendor's redirect service; its password is never shown again. */
import { PasswordInput, Select, Switch, TextInput } from "@mantine/core";

import { api, bodyOf, ifMatch } from "../api/client";
import { refresh } from "../api/live";
import type { RedirectAccount, RedirectService } from "../api/types";
import { FormDrawer } from "../forms/FormDrawer";
import { useDraft } from "../forms/useDraft";
import { tellDone } from "../shell/notices";
import { useTenants } from "../tenants/useTenants";
import { SERVICES } from "./services";

interface Values {
  tenant_id: string | null;
  service: RedirectService;
  username: string;
  password: string;
  api_url: string;
  phones_url: string;
  enabled: boolean;
}

function valuesOf(account: RedirectAccount): Values {
  const { tenant_id, username, api_url, phones_url, enabled } = account;
  return { tenant_id, username, api_url, phones_url, enabled, password: "", service: account.service as RedirectService };
}

export function RedirectForm({ account, onClose }: { account?: RedirectAccount; onClose: () => void }) {
  const tenants = useTenants();
  const only = tenants.data?.length === 1 ? (tenants.data[0]?.id ?? null) : null;
  const draft = useDraft<Values>({
    initial: account
      ? valuesOf(account)
      : {
          tenant_id: only,
          service: "yealink_rps",
          username: "",
          password: "",
          api_url: "",
          phones_url: "https://{host}:8443/",
          enabled: true,
        },
    version: account?.version,
    save: async (values, changes, version) => {
      if (account) {
        const { tenant_id: _, service: __, ...body } = changes;
        const params = { path: { redirect_account_id: account.id }, header: ifMatch(version) };
        await bodyOf(api.PATCH("/redirect-accounts/{redirect_account_id}", { params, body }));
      } else {
        const body = { ...values, api_url: values.api_url || null };
        await bodyOf(api.POST("/redirect-accounts", { body }));
      }
      tellDone("The account was saved");
      await refresh(["redirect-accounts"]);
      onClose();
    },
    reload: async () => {
      const path = { redirect_account_id: account?.id ?? "" };
      const saved = await bodyOf(api.GET("/redirect-accounts/{redirect_account_id}", { params: { path } }));
      return { values: { ...valuesOf(saved) }, version: saved.version };
    },
  });
  const words = SERVICES[draft.values.service];
  return (
    <FormDrawer
      title={account ? "Edit redirect account" : "New redirect account"}
      saveLabel={account ? "Save" : "Create account"}
      draft={draft}
      onClose={onClose}
    >
      {account || only ? null : (
        <Select
          label="Tenant"
          searchable
          data={(tenants.data ?? []).map((tenant) => ({ value: tenant.id, label: tenant.name }))}
          {...draft.field("tenant_id")}
        />
      )}
      <Select
        label="Service"
        description="A tenant has one account for each vendor"
        disabled={account !== undefined}
        allowDeselect={false}
        data={Object.entries(SERVICES).map(([value, service]) => ({ value, label: service.label }))}
        value={draft.values.service}
        error={draft.problemAt("service")}
        onChange={(chosen) => chosen && draft.set({ service: chosen as RedirectService })}
      />
      <TextInput
        label={words.username}
        autoComplete="off"
        autoCapitalize="none"
        data-autofocus
        {...draft.text("username")}
      />
      <PasswordInput
        label={words.password}
        description={account ? "Left empty, it stays as it is" : "Kept encrypted, and never shown again"}
        autoComplete="new-password"
        {...draft.text("password")}
      />
      <TextInput
        label="Phones are sent to"
        description="{host} stands for the server name in a site’s rules for phones"
        classNames={{ input: "mono" }}
        {...draft.text("phones_url")}
      />
      <TextInput
        label="Address of the service"
        description="Left empty, the vendor’s own; another one needs the password again"
        classNames={{ input: "mono" }}
        {...draft.text("api_url")}
      />
      <Switch
        label="Enabled"
        description="Disabled, what the service was told is taken back"
        checked={draft.values.enabled}
        onChange={(event) => draft.set({ enabled: event.currentTarget.checked })}
      />
    </FormDrawer>
  );
}
