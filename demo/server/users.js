/** Who can sign in. There are no passwords: the demo is about what comes after. */
export const users = {
  ada: { name: "Ada Lovelace" },
  grace: { name: "Grace Hopper" },
};
