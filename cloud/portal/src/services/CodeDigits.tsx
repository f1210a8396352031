/** The digits of authorization codes: set here, and shown nowhere. */
import { Button, Modal, PasswordInput, Stack } from "@mantine/core";
import { useState } from "react";

import { api, bodyOf } from "../api/client";
import { refresh, useLive } from "../api/live";
import { ProblemError } from "../api/problem";
import type { AuthorizationCodes, Site } from "../api/types";
import { DataTable } from "../shell/DataTable";
import { Loaded } from "../shell/Page";
import { tellDone } from "../shell/notices";
import { Card } from "../sites/OverviewTab";

type Code = AuthorizationCodes["items"][number];

export function CodeDigits({ site }: { site: Site }) {
  const codes = useLive<AuthorizationCodes>(["authorization-codes", site.id], (init) =>
    api.GET("/sites/{site_id}/authorization-codes", { ...init, params: { path: { site_id: site.id } } }),
  );
  const [edited, setEdited] = useState<Code | null>(null);
  return (
    <Loaded query={codes}>
      {({ items }) =>
        items.length === 0 ? null : (
          <Card title="Digits of the codes">
            <DataTable
              label="Digits of the codes"
              rows={items}
              rowKey={(one) => `${one.service_id}/${one.code_id}`}
              columns={[
                { title: "Code of", cell: (one) => one.name },
                { title: "Service", cell: (one) => one.service },
                { title: "Digits", cell: (one) => (one.code_set ? "set" : "none yet: nobody can use it") },
                {
                  title: "",
                  align: "right",
                  cell: (one) => (
                    <Button size="compact-xs" variant="default" aria-label={`Digits of ${one.name}`} onClick={() => setEdited(one)}>
                      Set digits
                    </Button>
                  ),
                },
              ]}
            />
            {edited ? <DigitsForm site={site} code={edited} onClose={() => setEdited(null)} /> : null}
          </Card>
        )
      }
    </Loaded>
  );
}

function DigitsForm({ site, code, onClose }: { site: Site; code: Code; onClose: () => void }) {
  const [typed, setTyped] = useState("");
  const [problem, setProblem] = useState<string | undefined>();
  const [saving, setSaving] = useState(false);
  const save = async (digits: string | null) => {
    setSaving(true);
    try {
      const params = { path: { site_id: site.id, service_id: code.service_id, code_id: code.code_id } };
      await bodyOf(api.PUT("/sites/{site_id}/authorization-codes/{service_id}/{code_id}", { params, body: { code: digits } }));
      await refresh(["authorization-codes", site.id]);
      tellDone(digits ? `The code of ${code.name} has new digits` : `The code of ${code.name} has no digits any more`);
      onClose();
    } catch (error) {
      if (!(error instanceof ProblemError)) throw error;
      setProblem(error.fields.get("code") ?? (error.detail || error.title));
    } finally {
      setSaving(false);
    }
  };
  return (
    <Modal opened onClose={onClose} title={`Code of ${code.name}`}>
      <Stack>
        <PasswordInput
          label="Digits"
          description="4 to 16; they are pressed at the telephone and shown nowhere"
          inputMode="numeric"
          autoComplete="off"
          value={typed}
          error={problem}
          onChange={(event) => setTyped(event.currentTarget.value)}
        />
        <Button loading={saving} disabled={!typed} onClick={() => void save(typed)}>
          Save digits
        </Button>
        {code.code_set ? (
          <Button variant="default" loading={saving} onClick={() => void save(null)}>
            Take the digits away
          </Button>
        ) : null}
      </Stack>
    </Modal>
  );
}
