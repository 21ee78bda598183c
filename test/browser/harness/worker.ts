// A session outside of the app's page: in a worker, in a service worker or in a sandboxed frame. It answers one question a message.

import { createSession, oauth2, type Tokens } from "../../../src/index.js";

const parameters = new URL(location.href).searchParams;
const session = createSession({
  refresh: oauth2({ tokenEndpoint: parameters.get("tokenEndpoint")!, clientId: parameters.get("clientId")! }),
  lead: 500,
});

const answers = {
  async status() {
    await session.ready;
    return session.getSnapshot().status;
  },
  async serial() {
    const token = await session.getToken();
    return token === null ? null : String(session.getSnapshot().claims?.jti);
  },
  refresh: () => session.refresh(),
  call: async () => (await session.fetch("/api/me")).status,
  async signIn(tokens?: Tokens) {
    await session.signIn(tokens!);
    return session.getSnapshot().status;
  },
};

export interface Question {
  name: keyof typeof answers;
  tokens?: Tokens;
}

addEventListener("message", async ({ data, ports }: MessageEvent<Question>) => {
  const answer = await answers[data.name](data.tokens).catch((error: Error) => `${error.name}: ${error.message}`);
  ports[0]!.postMessage(answer);
});
