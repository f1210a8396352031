/** An edge's counters and gauges since its processes started, asked of it when somebody looks. */
import { Button, Group, Modal, Stack, Table, Text, Title } from "@mantine/core";

import { api } from "../api/client";
import { useLive } from "../api/live";
import type { Edge, EdgeFigures as Figures } from "../api/types";
import { Loaded } from "../shell/Page";

export function EdgeFigures({ edge, onClose }: { edge: Edge; onClose: () => void }) {
  const figures = useLive<Figures>(
    ["figures", edge.id],
    (init) => api.GET("/edges/{edge_id}/figures", { ...init, params: { path: { edge_id: edge.id } } }),
    { poll: false },
  );
  return (
    <Modal opened onClose={onClose} title={`Figures of ${edge.name}`} size="lg">
      <Stack>
        <Group justify="space-between">
          <Text size="sm" c="dimmed">
            Since the edge's processes started; at most five seconds old.
          </Text>
          <Button size="xs" variant="default" loading={figures.isFetching} onClick={() => void figures.refetch()}>
            Ask again
          </Button>
        </Group>
        <Loaded query={figures}>
          {(shown) => (
            <>
              {Object.entries(shown.processes).map(([process, counts]) => (
                <section key={process} aria-label={process}>
                  <Title order={3} size="h5">
                    {process}
                  </Title>
                  <Table>
                    <Table.Tbody>
                      {Object.entries(counts).map(([name, count]) => (
                        <Table.Tr key={name}>
                          <Table.Td className="mono wrap-anywhere">{name}</Table.Td>
                          <Table.Td ta="right">{count}</Table.Td>
                        </Table.Tr>
                      ))}
                    </Table.Tbody>
                  </Table>
                </section>
              ))}
            </>
          )}
        </Loaded>
      </Stack>
    </Modal>
  );
}
