/** Addresses of queues that are for users, too. */

export const OWN_QUEUES_PATH = "/my/queues";

/** Whether this is a display at the wall, which has nothing around it. */
export function isWallboard(pathname: string): boolean {
  return /^\/sites\/[^/]+\/wallboard\/?$/.test(pathname);
}
