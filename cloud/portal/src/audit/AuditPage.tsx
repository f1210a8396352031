/** Who changed what. */
import { ActionIcon, Button, Center, Select, Text } from "@mantine/core";
import { useMemo, useState } from "react";

import { api } from "../api/client";
import { useLivePages } from "../api/live";
import type { AuditEntry } from "../api/types";
import { DataTable, type Column } from "../shell/DataTable";
import { Empty, Loaded, Page } from "../shell/Page";
import { Moment } from "../shell/When";
import { ChevronIcon } from "../shell/icons";
import { useTenants } from "../tenants/useTenants";
import { RESOURCES, actionText, changeRows, subjectOf } from "./auditText";

export function AuditPage() {
  const tenants = useTenants();
  const names = useMemo(() => new Map(tenants.data?.map((tenant) => [tenant.id, tenant.name])), [tenants.data]);
  const [resource, setResource] = useState<string | null>(null);
  const [opened, setOpened] = useState<string | null>(null);
  const audit = useLivePages<AuditEntry>(["audit", resource ?? ""], (init, cursor) => {
    const query = { limit: 50, cursor, ...(resource ? { resource } : {}) };
    return api.GET("/audit", { ...init, params: { query } });
  });
  const columns: Column<AuditEntry>[] = [
    { title: "When", cell: (entry) => <Moment at={entry.at} /> },
    {
      title: "Who",
      cell: (entry) => (
        <div className="break-word">
          {entry.actor}
          {entry.source ? (
            <Text size="xs" c="dimmed">
              {entry.source}
            </Text>
          ) : null}
        </div>
      ),
    },
    {
      title: "What",
      cell: (entry) => (
        <span>
          <Text component="span" fw={560} size="sm">
            {actionText(entry.action)}
          </Text>{" "}
          <Text component="span" c="dimmed" size="sm" className="wrap-anywhere">
            {subjectOf(entry)}
          </Text>
        </span>
      ),
    },
    { title: "Tenant", cell: (entry) => names.get(entry.tenant_id ?? "") ?? "" },
    {
      title: "",
      align: "right",
      cell: (entry) =>
        Object.keys(entry.changes).length > 0 ? (
          <ActionIcon
            variant="subtle"
            color="gray"
            aria-expanded={opened === entry.id}
            aria-label={`Changes: ${actionText(entry.action)}`}
            onClick={() => setOpened(opened === entry.id ? null : entry.id)}
            style={{ transform: opened === entry.id ? "rotate(90deg)" : undefined }}
          >
            <ChevronIcon size={16} />
          </ActionIcon>
        ) : null,
    },
  ];
  return (
    <Page
      title="Audit"
      actions={
        <Select
          aria-label="Kind of thing"
          placeholder="Everything"
          clearable
          data={RESOURCES}
          value={resource}
          onChange={setResource}
          w={190}
        />
      }
    >
      <Loaded query={{ data: audit.items, error: audit.error, refetch: audit.refetch }}>
        {(all) =>
          all.length === 0 ? (
            <div className="card">
              <Empty title="Nothing was changed yet">Every change that somebody makes is listed here, the latest first.</Empty>
            </div>
          ) : (
            <>
              <DataTable
                label="Changes"
                columns={columns}
                rows={all}
                rowKey={(entry) => entry.id}
                below={(entry) => (opened === entry.id ? <Changes entry={entry} /> : null)}
              />
              {audit.hasNextPage ? (
                <Center>
                  <Button variant="default" loading={audit.isFetchingNextPage} onClick={() => void audit.fetchNextPage()}>
                    Show older changes
                  </Button>
                </Center>
              ) : null}
            </>
          )
        }
      </Loaded>
    </Page>
  );
}

function Changes({ entry }: { entry: AuditEntry }) {
  return (
    <div className="mono" style={{ textAlign: "left", width: "100%" }}>
      {changeRows(entry).map(({ field, before, after }) => (
        <div key={field}>
          {before === null ? null : (
            <div className="diff-row removed">
              − {field}: {before}
            </div>
          )}
          {after === null ? null : (
            <div className="diff-row added">
              + {field}: {after}
            </div>
          )}
        </div>
      ))}
    </div>
  );
}
