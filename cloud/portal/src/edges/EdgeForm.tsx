/** Naming an edge; a new one is answered with its enrollment code. */
import { NumberInput, SimpleGrid, TextInput } from "@mantine/core";

import { api, bodyOf, ifMatch } from "../api/client";
import { refresh } from "../api/live";
import type { Edge, EnrollmentCode, Site } from "../api/types";
import { FormDrawer } from "../forms/FormDrawer";
import { useDraft } from "../forms/useDraft";
import { tellDone } from "../shell/notices";

interface Props {
  site: Site;
  edge?: Edge;
  onMade: (made: { id: string; enrollment: EnrollmentCode }) => void;
  onClose: () => void;
}

interface EdgeValues {
  name: string;
  sip_host: string;
  sip_port: number | string;
}

function valuesOf(edge: Edge): EdgeValues {
  return { name: edge.name, sip_host: edge.sip_host ?? "", sip_port: edge.sip_port };
}

/** What is empty in the form is null in the API. */
function bodyFrom({ name, sip_host, sip_port }: Partial<EdgeValues>) {
  return {
    ...(name === undefined ? {} : { name }),
    ...(sip_host === undefined ? {} : { sip_host: sip_host || null }),
    ...(sip_port === undefined ? {} : { sip_port: Number(sip_port) }),
  };
}

export function EdgeForm({ site, edge, onMade, onClose }: Props) {
  const draft = useDraft<EdgeValues>({
    initial: edge ? valuesOf(edge) : { name: `Edge of ${site.name}`, sip_host: "", sip_port: 5063 },
    version: edge?.version,
    save: async (values, changes, version) => {
      if (edge) {
        const params = { path: { edge_id: edge.id }, header: ifMatch(version) };
        await bodyOf(api.PATCH("/edges/{edge_id}", { params, body: bodyFrom(changes) }));
        tellDone("The edge was saved");
      } else {
        onMade(await bodyOf(api.POST("/edges", { body: { name: values.name, site_id: site.id } })));
      }
      await refresh(["edges", site.id], ["sites"]);
      onClose();
    },
    reload: async () => {
      const saved = await bodyOf(api.GET("/edges/{edge_id}", { params: { path: { edge_id: edge?.id ?? "" } } }));
      return { values: valuesOf(saved), version: saved.version };
    },
  });
  return (
    <FormDrawer
      title={edge ? `Edit ${edge.name}` : "Enroll new edge"}
      saveLabel={edge ? "Save" : "Create enrollment code"}
      draft={draft}
      onClose={onClose}
    >
      <TextInput label="Name" description="Such as the machine or the room it stands in" data-autofocus {...draft.text("name")} />
      {edge ? (
        <SimpleGrid cols={{ base: 1, xs: 2 }}>
          <TextInput
            label="Address for other sites"
            description="IPv4 address at which they call this site; empty: they do not"
            placeholder="192.0.2.10"
            autoCapitalize="none"
            {...draft.text("sip_host")}
          />
          <NumberInput
            label="Port for other sites"
            description="Where this edge takes their calls, by TLS"
            min={1}
            max={65535}
            clampBehavior="strict"
            allowDecimal={false}
            value={draft.values.sip_port}
            onChange={(sip_port) => draft.set({ sip_port })}
            error={draft.problemAt("sip_port")}
          />
        </SimpleGrid>
      ) : null}
    </FormDrawer>
  );
}
