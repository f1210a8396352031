import { describe, expect, it } from "vitest";

import { redirectWords } from "./services";

describe("what a redirect service is told of a phone", () => {
  it("is said to be locked when another account has the phone, with what to do", () => {
    const words = redirectWords({ state: "failed", problem: "claimed", problem_text: "Its owner has to release it" });
    expect(words).toEqual({ tone: "bad", label: "Locked to another account", hint: "Its owner has to release it" });
  });

  it("is not called failed while a service that is away is tried again", () => {
    const words = redirectWords({ state: "pending", problem: "unreachable", problem_text: "" });
    expect(words).toEqual({ tone: "waiting", label: "Service not reached, tried again", hint: undefined });
  });
});
