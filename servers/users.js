/**
 * Who can sign in. There are no passwords: the demo is about what comes after.
 * @type {Record<string, { name: string }>}
 */
export const users = {
  ada: { name: "Ada Lovelace" },
  grace: { name: "Grace Hopper" },
};

/** Nothing for a name that is not in the list, such as one of `Object.prototype`. */
export const userOf = (/** @type {string} */ id) => (Object.hasOwn(users, id) ? users[id] : undefined);
