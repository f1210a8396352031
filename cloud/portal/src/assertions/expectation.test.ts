import { describe, expect, it } from "vitest";

import type { CallQuestion, Plan, Simulated, SimulatedStep, User } from "../api/types";
import { callText, suggested } from "./expectation";

const step = (extra: object) => ({ users: [], numbers: [], service: null, status: null, ...extra }) as unknown as SimulatedStep;
const call = { dialled: "112", caller: "u1", busy: [], unregistered: [], gateways_down: [], cloud_down: false, edge_down: false };

describe("what is expected of a call", () => {
  it("is suggested by what became of it", () => {
    const of = (...steps: SimulatedStep[]) => suggested({ steps } as Simulated);
    expect(of(step({ users: [{ username: "200" }] }))).toEqual({ outcome: "rings", target: "200" });
    expect(of(step({ numbers: [{ gateway: "PRI" }] }))).toEqual({ outcome: "leaves_by", target: "PRI" });
    expect(of(step({ service: "echo_test" }))).toEqual({ outcome: "service", target: "echo_test" });
    expect(of(step({ status: 404 }))).toEqual({ outcome: "refused", target: "" });
  });

  it("is told with who calls, and what fails meanwhile", () => {
    const users = [{ id: "u1", display_name: "Reception" }] as unknown as User[];
    const question = { ...call, edge_down: true, gateways_down: ["x"] } as unknown as CallQuestion;
    expect(callText(question, users, {} as Plan)).toBe("Reception dials 112 while the edge is away and ways out are down");
    const outside = { ...call, caller: null, gateway: "pri", number: "+4930" } as unknown as CallQuestion;
    const plan = { gateways: [{ gateway_id: "pri", name: "PRI" }] } as unknown as Plan;
    expect(callText(outside, users, plan)).toBe("a caller from outside by PRI (+4930) dials 112");
  });
});
