/** Naming an edge; a new one is answered with its enrollment code. */
import { TextInput } from "@mantine/core";

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

export function EdgeForm({ site, edge, onMade, onClose }: Props) {
  const draft = useDraft({
    initial: { name: edge?.name ?? `Edge of ${site.name}` },
    version: edge?.version,
    save: async (body, _changes, version) => {
      if (edge) {
        const params = { path: { edge_id: edge.id }, header: ifMatch(version) };
        await bodyOf(api.PATCH("/edges/{edge_id}", { params, body }));
        tellDone("The edge was renamed");
      } else {
        onMade(await bodyOf(api.POST("/edges", { body: { ...body, site_id: site.id } })));
      }
      await refresh(["edges", site.id], ["sites"]);
      onClose();
    },
    reload: async () => {
      const saved = await bodyOf(api.GET("/edges/{edge_id}", { params: { path: { edge_id: edge?.id ?? "" } } }));
      return { values: { name: saved.name }, version: saved.version };
    },
  });
  return (
    <FormDrawer
      title={edge ? `Rename ${edge.name}` : "Enroll new edge"}
      saveLabel={edge ? "Save" : "Create enrollment code"}
      draft={draft}
      onClose={onClose}
    >
      <TextInput label="Name" description="Such as the machine or the room it stands in" data-autofocus {...draft.text("name")} />
    </FormDrawer>
  );
}
