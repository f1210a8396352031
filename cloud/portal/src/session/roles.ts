/** Roles, and what each may do here; the API decides, the portal only does not offer in vain. */
import type { Account } from "../api/types";
import { useSession } from "./session";

type Role = Account["role"];

export const ROLE_NAMES: Record<Role, string> = {
  user: "User",
  tenant_admin: "Tenant administrator",
  msp_admin: "Provider administrator",
  platform_admin: "Platform administrator",
};

const ORDER: readonly Role[] = ["user", "tenant_admin", "msp_admin", "platform_admin"];

/** Whether whoever is logged in has at least this role. */
export function useMay(role: Role): boolean {
  const session = useSession();
  return session.phase === "logged-in" && ORDER.indexOf(session.account.role) >= ORDER.indexOf(role);
}
