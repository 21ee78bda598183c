import { createSession, oauth2 } from "../../../src/index.js";
import { PATH, type Restored } from "./entry.js";

const make = () => createSession({ name: "restored", refresh: oauth2({ tokenEndpoint: "/token", clientId: "spa" }) });

export const seed: Restored["seed"] = async (tokens) => {
  const session = make();
  await session.signIn(tokens);
  session.dispose();
};

export const start: Restored["start"] = async () => {
  const session = make();
  await session.ready;
  return () => session.fetch(PATH);
};
