import { describe, expect, it } from "vitest";

import { problemAt, problemOf, problemsElsewhere } from "./problem";

const invalid = problemOf(422, {
  type: "urn:tandem:problem:invalid",
  title: "Some fields cannot be accepted",
  status: 422,
  problems: [
    { field: "name", message: "It is too long" },
    { field: "aliases.2", message: "It is taken" },
    { field: "aliases.0", message: "It is taken" },
    { field: "settings.time/ntp_server", message: "It is no host" },
    { field: "", message: "Something about the whole" },
  ],
});

describe("problems at their fields", () => {
  it("stand at the field itself, and at the field whose part is wrong", () => {
    expect(problemAt(invalid.fields, "name")).toBe("It is too long");
    expect(problemAt(invalid.fields, "aliases")).toBe("It is taken");
    expect(problemAt(invalid.fields, "settings.time/ntp_server")).toBe("It is no host");
    expect(problemAt(invalid.fields, "alias")).toBeUndefined();
  });

  it("are told above the buttons when the form has no such field", () => {
    expect(problemsElsewhere(invalid, ["name", "aliases"])).toEqual([
      "settings.time/ntp_server: It is no host",
      "Something about the whole",
    ]);
  });

  it("join when a field has several", () => {
    const twice = problemOf(422, { problems: [{ field: "mac", message: "One" }, { field: "mac", message: "Two" }] });
    expect(problemAt(twice.fields, "mac")).toBe("One. Two");
  });

  it("say the detail when no field is named, and something readable when the body is no problem at all", () => {
    expect(problemsElsewhere(problemOf(409, { title: "Conflict", detail: "It is in use" }), [])).toEqual(["It is in use"]);
    expect(problemOf(502, "<html>").message).toBe("The server answered 502");
  });

  it("know when somebody else was faster", () => {
    expect(problemOf(412, { title: "Changed" }).isChanged).toBe(true);
    expect(invalid.isChanged).toBe(false);
  });
});
