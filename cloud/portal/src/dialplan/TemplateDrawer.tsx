/** A country's way of dialling, put into the plan; nothing is saved by it. */
import { Alert, Button, Drawer, Group, Select, Stack, Text, TextInput } from "@mantine/core";
import { useState, type FormEvent } from "react";

import { api, bodyOf } from "../api/client";
import { ProblemError } from "../api/problem";
import type { CountryKey, Plan, Site } from "../api/types";

const TEMPLATES: { value: CountryKey; label: string }[] = [
  { value: "AU", label: "Australia" },
  { value: "FR", label: "France" },
  { value: "DE", label: "Germany" },
  { value: "US", label: "North America" },
  { value: "CH", label: "Switzerland" },
  { value: "GB", label: "United Kingdom" },
  { value: "generic", label: "Anywhere: E.164 numbers" },
];

interface Props {
  site: Site;
  plan: Plan;
  onClose: () => void;
  onFilled: (plan: Plan) => void;
}

export function TemplateDrawer({ site, plan, onClose, onFilled }: Props) {
  const [country, setCountry] = useState<CountryKey>("generic");
  const [area, setArea] = useState("");
  const [problem, setProblem] = useState<string | null>(null);
  const [running, setRunning] = useState(false);

  const fill = async (event: FormEvent) => {
    event.preventDefault();
    setRunning(true);
    setProblem(null);
    try {
      const params = { path: { site_id: site.id } };
      const gateways = [...(plan.trunks ?? []), ...(plan.gateways ?? [])].map((one) => one.gateway_id);
      const body = { country, area_code: area, gateways, outside_prefix: null };
      const filled = await bodyOf(api.POST("/sites/{site_id}/dial-plan/template", { params, body }));
      onFilled({ ...plan, rules: filled.document.rules });
      onClose();
    } catch (error) {
      if (!(error instanceof ProblemError)) throw error;
      setProblem([...error.fields.values()].join(". ") || error.detail || error.title);
    } finally {
      setRunning(false);
    }
  };
  return (
    <Drawer opened onClose={onClose} title="Fill by country" position="right" size="lg" closeButtonProps={{ "aria-label": "Close" }}>
      <form onSubmit={(event) => void fill(event)} noValidate aria-label="Fill by country">
        <Stack gap="md">
          <Text size="sm">
            Rules for what people of a country dial take the place of the plan’s outside rules. Look at them, then save the plan.
          </Text>
          <Select
            label="Country"
            data={TEMPLATES}
            allowDeselect={false}
            value={country}
            onChange={(chosen) => setCountry((chosen ?? "generic") as CountryKey)}
          />
          <TextInput
            label="The site’s area code"
            description="For numbers that are dialled without it; may be empty"
            value={area}
            onChange={(event) => setArea(event.currentTarget.value)}
          />
          {problem ? (
            <Alert color="red" role="alert">
              {problem}
            </Alert>
          ) : null}
          <Group justify="flex-end">
            <Button variant="default" onClick={onClose}>
              Cancel
            </Button>
            <Button type="submit" loading={running}>
              Fill the plan
            </Button>
          </Group>
        </Stack>
      </form>
    </Drawer>
  );
}
