import { describe, expect, it } from "vitest";

import { EtagCache, type Read } from "./etags";
import { ProblemError } from "./problem";

function answering(etag: string, body: unknown, asked: string[] = []): Read<unknown> {
  return ({ headers }) => {
    const known = headers["If-None-Match"] ?? "";
    asked.push(known);
    const response = known === etag ? new Response(null, { status: 304 }) : new Response("{}", { headers: { ETag: etag } });
    return Promise.resolve(response.status === 304 ? { error: "", response } : { data: body, response });
  };
}

describe("polling with ETags", () => {
  it("asks with the tag of what it holds, and keeps the very same object on 304", async () => {
    const cache = new EtagCache();
    const asked: string[] = [];
    const body = { items: [1] };
    const first = await cache.read("sites", answering('"a"', body, asked));
    const second = await cache.read("sites", answering('"a"', { items: [1] }, asked));
    expect(asked).toEqual(["", '"a"']);
    expect(second).toBe(first);
  });

  it("takes the new body when the tag is another", async () => {
    const cache = new EtagCache();
    await cache.read("sites", answering('"a"', 1));
    expect(await cache.read("sites", answering('"b"', 2))).toBe(2);
  });

  it("keeps collections apart", async () => {
    const cache = new EtagCache();
    const asked: string[] = [];
    await cache.read("sites", answering('"a"', 1));
    await cache.read("users", answering('"a"', 2, asked));
    expect(asked).toEqual([""]);
  });

  it("asks without a tag after it forgot, and for the oldest beyond its limit", async () => {
    const cache = new EtagCache(1);
    const asked: string[] = [];
    await cache.read("sites", answering('"a"', 1));
    await cache.read("users", answering('"b"', 2));
    await cache.read("sites", answering('"a"', 1, asked));
    cache.clear();
    await cache.read("sites", answering('"a"', 1, asked));
    expect(asked).toEqual(["", ""]);
  });

  it("throws a problem for a refusal", async () => {
    const read: Read<unknown> = () =>
      Promise.resolve({ error: { title: "Not found", status: 404 }, response: new Response("{}", { status: 404 }) });
    await expect(new EtagCache().read("sites", read)).rejects.toBeInstanceOf(ProblemError);
  });
});
