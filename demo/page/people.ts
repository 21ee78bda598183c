/** The users of the demo, without passwords. */
export const people: Record<string, string> = { ada: "Ada Lovelace", grace: "Grace Hopper" };

/** The other one of the two users. */
export const otherThan = (subject: unknown): string => (subject === "ada" ? "grace" : "ada");
