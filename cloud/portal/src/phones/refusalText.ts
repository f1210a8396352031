/** Why a phone was refused, and what would help. */
const texts: Record<string, string> = {
  too_many_guesses: "Its address asked for too many phones that do not exist; it is let in again after ten minutes",
  too_many_requests: "It asked more often than the site's rules allow",
  network_not_served: "Its network is not one that the site serves",
  not_approved: "It is none of the site's devices, and the site serves no others",
  clear_text: "Its file holds passwords, and the site does not let them out in clear on this network",
  proof_needed: "It showed neither its factory certificate nor its password, which the site asks for here",
  wrong_password: "It showed a wrong password",
  wrong_certificate: "Its certificate is another phone's: a forged MAC address, or two devices mixed up",
  not_taken: "It sent a file, and is none of the site's devices",
};

export function reasonText(reason: string): string {
  return texts[reason] ?? reason.replaceAll("_", " ");
}

const certainties: Record<string, string> = {
  hint: "guessed by a file's name",
  likely: "likely, by its MAC address",
  claimed: "as it says itself",
  asked: "by what it asked for",
  proven: "proven by its certificate",
};

/** How certain it is what a phone is. */
export function certaintyText(certainty: Record<string, string>): string {
  const found = certainty.model ?? certainty.vendor;
  return found ? (certainties[found] ?? "") : "";
}
