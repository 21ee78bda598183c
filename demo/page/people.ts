/** Who can sign in. There are no passwords: the demo is about what comes after. */
export const people: Record<string, string> = { ada: "Ada Lovelace", grace: "Grace Hopper" };

/** The other one of the two. */
export const otherThan = (subject: unknown): string => (subject === "ada" ? "grace" : "ada");
