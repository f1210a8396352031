/** The buttons at the end of a row; each says whose row it is. */
import { ActionIcon, Group, Tooltip } from "@mantine/core";

import { EditIcon, EyeIcon, TrashIcon } from "./icons";

interface Props {
  /** Whose row: read out with the action. */
  name: string;
  /** Shows more of it. */
  onOpen?: () => void;
  onEdit?: () => void;
  onDelete?: () => void;
  deleteLabel?: string;
}

export function RowActions({ name, onOpen, onEdit, onDelete, deleteLabel = "Delete" }: Props) {
  return (
    <Group gap={2} wrap="nowrap" justify="flex-end">
      {onOpen ? (
        <Tooltip label="Show">
          <ActionIcon variant="subtle" color="gray" onClick={onOpen} aria-label={`Show ${name}`}>
            <EyeIcon size={16} />
          </ActionIcon>
        </Tooltip>
      ) : null}
      {onEdit ? (
        <Tooltip label="Edit">
          <ActionIcon variant="subtle" color="gray" onClick={onEdit} aria-label={`Edit ${name}`}>
            <EditIcon size={16} />
          </ActionIcon>
        </Tooltip>
      ) : null}
      {onDelete ? (
        <Tooltip label={deleteLabel}>
          <ActionIcon variant="subtle" color="gray" onClick={onDelete} aria-label={`${deleteLabel} ${name}`}>
            <TrashIcon size={16} />
          </ActionIcon>
        </Tooltip>
      ) : null}
    </Group>
  );
}
