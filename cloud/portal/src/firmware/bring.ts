/** Bringing a file to the object store: its digest, a place for it, and a PUT that tells how far it is. */
import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex } from "@noble/hashes/utils.js";

import { api, bodyOf } from "../api/client";
import { ProblemError, unreachable } from "../api/problem";

/** How far a file is, from 0 to 1. */
export interface Step {
  what: "reading" | "sending";
  part: number;
}

const PIECE_BYTES = 4 * 1024 * 1024;

/** SHA-256 in hexadecimal, read in pieces: a file need not fit into memory, and the page may be plain HTTP. */
export async function digestOf(file: Blob, told: (part: number) => void): Promise<string> {
  const hash = sha256.create();
  for (let at = 0; at < file.size; at += PIECE_BYTES) {
    hash.update(new Uint8Array(await file.slice(at, at + PIECE_BYTES).arrayBuffer()));
    told(Math.min(1, (at + PIECE_BYTES) / file.size));
  }
  return bytesToHex(hash.digest());
}

/** Bring a file, unless the tenant has it already; its digest. */
export async function bring(
  file: File,
  tenantId: string | null,
  told: (step: Step) => void,
  kind: "/firmware-files" | "/sound-files" = "/firmware-files",
): Promise<string> {
  const digest = await digestOf(file, (part) => told({ what: "reading", part }));
  const body = { digest, size_bytes: file.size, ...(tenantId ? { tenant_id: tenantId } : {}) };
  const { place } = await bodyOf(api.POST(kind, { body }));
  if (place) await put(place.url, place.headers, file, (part) => told({ what: "sending", part }));
  return digest;
}

/** `fetch` does not tell how far an upload is, so this is an XMLHttpRequest. */
function put(url: string, headers: Record<string, string>, file: File, told: (part: number) => void): Promise<void> {
  return new Promise((done, failed) => {
    const request = new XMLHttpRequest();
    request.open("PUT", url);
    for (const [name, value] of Object.entries(headers)) request.setRequestHeader(name, value);
    request.upload.onprogress = (event) => told(event.loaded / event.total);
    request.onerror = () => failed(unreachable());
    request.onload = () => {
      if (request.status < 300) done();
      else failed(new ProblemError(request.status, "The file was not taken", detailOf(request.responseText), new Map()));
    };
    request.send(file);
  });
}

function detailOf(text: string): string {
  try {
    return String((JSON.parse(text) as { detail?: unknown }).detail ?? "");
  } catch {
    return "";
  }
}
