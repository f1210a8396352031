/** The messages of a mailbox, folder by folder, with a player: a user's own, or as an administrator sees them. */
import { Badge, Box, Button, Group, SegmentedControl, Stack, Text } from "@mantine/core";
import { useState, type ReactNode } from "react";

import { api, bodyOf } from "../api/client";
import { refresh, useLive } from "../api/live";
import type { MessageFolder, VoicemailMessage } from "../api/types";
import { Empty, Loaded } from "../shell/Page";
import { Ago } from "../shell/When";
import { tellDone, tellProblem } from "../shell/notices";
import { Player } from "./Player";
import { lengthText } from "./sound";

const FOLDERS: { value: MessageFolder; label: string; empty: string }[] = [
  { value: "inbox", label: "Inbox", empty: "No messages" },
  { value: "saved", label: "Saved", empty: "Nothing was saved" },
  { value: "deleted", label: "Deleted", empty: "Nothing was deleted" },
];
const SHOWN = 100;

export function Messages({ userId }: { userId: string }) {
  const wanted = new URLSearchParams(window.location.search).get("message");
  const [folder, setFolder] = useState<MessageFolder>("inbox");
  const [open, setOpen] = useState<string | null>(wanted);
  const key = ["messages", userId, folder];
  const page = useLive(key, (init) =>
    api.GET("/users/{user_id}/mailbox/messages", {
      ...init,
      params: { path: { user_id: userId }, query: { folder, limit: SHOWN } },
    }),
  );
  const change = async (message: VoicemailMessage, body: { folder?: MessageFolder; heard?: boolean }, done: string) => {
    try {
      const path = { user_id: userId, message_id: message.id };
      await bodyOf(api.PATCH("/users/{user_id}/mailbox/messages/{message_id}", { params: { path }, body }));
      await refresh(["messages", userId]);
      if (done) tellDone(done);
    } catch (error) {
      tellProblem(error);
    }
  };
  return (
    <Loaded query={page}>
      {({ items, counts, next }) => (
        <Stack gap="sm">
          <SegmentedControl
            aria-label="Folder"
            fullWidth
            value={folder}
            onChange={(value) => setFolder(value as MessageFolder)}
            data={FOLDERS.map(({ value, label }) => {
              const unheard = counts[value]?.unheard ?? 0;
              return { value, label: value === "inbox" && unheard > 0 ? `${label} (${unheard} new)` : label };
            })}
          />
          {items.length === 0 ? <Empty title={FOLDERS.find((one) => one.value === folder)?.empty ?? ""} /> : null}
          <ul className="messages" aria-label="Messages">
            {items.map((message) => (
              <Message
                key={message.id}
                userId={userId}
                message={message}
                isOpen={open === message.id}
                toggle={() => setOpen(open === message.id ? null : message.id)}
                change={(body, done) => void change(message, body, done)}
              />
            ))}
          </ul>
          {next ? (
            <Text size="sm" c="dimmed">
              The latest {SHOWN} are shown.
            </Text>
          ) : null}
        </Stack>
      )}
    </Loaded>
  );
}

/** What only those see to whose user messages come: he has a mailbox, or owns one with others. */
export function MailboxOnly({ userId, children }: { userId: string; children: ReactNode }) {
  const params = { path: { user_id: userId } };
  const mailbox = useLive(["mailbox", userId], (init) => api.GET("/users/{user_id}/mailbox", { ...init, params }), {
    poll: false,
  });
  return mailbox.data?.has_messages ? children : null;
}

interface MessageProps {
  userId: string;
  message: VoicemailMessage;
  isOpen: boolean;
  toggle: () => void;
  change: (body: { folder?: MessageFolder; heard?: boolean }, done: string) => void;
}

function Message({ userId, message, isOpen, toggle, change }: MessageProps) {
  const caller = message.caller_name || message.caller_number || "Withheld number";
  const fax = message.fax;
  const name = fax ? `fax from ${caller}` : `message from ${caller}`;
  return (
    <li className="message" aria-label={`${message.heard ? "" : "New "}${name}`}>
      <Group justify="space-between" gap="xs">
        <Group gap="xs">
          <Text fw={message.heard ? 400 : 650}>{caller}</Text>
          {message.caller_name && message.caller_number ? (
            <Text size="sm" c="dimmed">
              {message.caller_number}
            </Text>
          ) : null}
          {message.heard ? null : <Badge size="sm">New</Badge>}
          {message.mailbox ? (
            <Badge size="sm" variant="outline">
              {message.mailbox}
            </Badge>
          ) : null}
          {message.urgent ? (
            <Badge size="sm" color="red">
              Urgent
            </Badge>
          ) : null}
        </Group>
        <Text size="sm" c="dimmed">
          <Ago at={message.received_at} /> · {fax ? pagesText(fax.pages) : lengthText(message.duration_seconds)}
        </Text>
      </Group>
      {message.forwarded_by ? (
        <Text size="sm" c="dimmed">
          Sent on by {message.forwarded_by}
        </Text>
      ) : null}
      {fax ? (
        <Text size="sm" c="dimmed">
          {fax.station ? `Sent by ${fax.station}. ` : ""}
          {fax.complete ? "" : `Incomplete: ${fax.result || "the transfer broke off"}`}
        </Text>
      ) : null}
      {isOpen && message.audio === "here" && !fax ? (
        <Box my={6}>
          <Player
            id={message.id}
            begin={() => beginListening(userId, message.id)}
            name={name}
            seconds={message.duration_seconds}
            onPlayed={() => (message.heard ? undefined : change({ heard: true }, ""))}
          />
        </Box>
      ) : null}
      <Group gap={4}>
        {message.audio === "here" && fax ? (
          <Button
            size="compact-sm"
            variant="light"
            aria-label={`Open ${name}`}
            onClick={() =>
              void openFax(userId, message.id)
                .then(() => (message.heard ? undefined : change({ heard: true }, "")))
                .catch(tellProblem)
            }
          >
            Open
          </Button>
        ) : message.audio === "here" ? (
          <Button size="compact-sm" variant="light" aria-expanded={isOpen} onClick={toggle} aria-label={`Listen to ${name}`}>
            {isOpen ? "Close" : "Listen"}
          </Button>
        ) : (
          <Text size="sm" c="dimmed">
            {placeText(message.audio, fax !== null)}
          </Text>
        )}
        {message.folder === "deleted" ? (
          <Button size="compact-sm" variant="subtle" onClick={() => change({ folder: "inbox" }, "The message was taken back")}>
            Take back
          </Button>
        ) : (
          <>
            {message.folder === "inbox" ? (
              <Button size="compact-sm" variant="subtle" onClick={() => change({ folder: "saved" }, "The message was saved")}>
                Save
              </Button>
            ) : null}
            {message.heard ? null : (
              <Button size="compact-sm" variant="subtle" onClick={() => change({ heard: true }, "")}>
                Mark heard
              </Button>
            )}
            <Button
              size="compact-sm"
              variant="subtle"
              color="red"
              aria-label={`Delete ${name}`}
              onClick={() => change({ folder: "deleted" }, "The message lies among the deleted")}
            >
              Delete
            </Button>
          </>
        )}
      </Group>
    </li>
  );
}

function beginListening(userId: string, messageId: string) {
  const params = { path: { user_id: userId, message_id: messageId } };
  return bodyOf(api.POST("/users/{user_id}/mailbox/messages/{message_id}/listening", { params }));
}

function pagesText(pages: number): string {
  return `fax, ${pages} ${pages === 1 ? "page" : "pages"}`;
}

function placeText(audio: VoicemailMessage["audio"], isFax: boolean): string {
  if (isFax) return audio === "coming" ? "Its pages are on their way." : "Its pages stay at the site.";
  return audio === "coming" ? "Its recording is on its way." : "Its recording stays at the site: dial *97.";
}

/** Saves a fax as a file, as browsers show or keep PDF. */
async function openFax(userId: string, faxId: string): Promise<void> {
  const file = await bodyOf(
    api.GET("/users/{user_id}/mailbox/faxes/{fax_id}", {
      params: { path: { user_id: userId, fax_id: faxId } },
      headers: { Accept: "application/pdf" },
      parseAs: "blob",
    }),
  );
  const link = document.createElement("a");
  link.href = URL.createObjectURL(file as unknown as Blob);
  link.download = `fax-${faxId}.pdf`;
  link.click();
  URL.revokeObjectURL(link.href);
}
