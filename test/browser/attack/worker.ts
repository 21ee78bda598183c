// Script that somebody has brought into the page. It knows the package, and asks its worker for the refresh token.

export interface Target {
  readonly tokenEndpoint: string;
  readonly clientId: string;
  /** The address of a token endpoint that the script would like the worker to use. */
  readonly elsewhere: string;
}

/** In the page. Sends messages of every kind to the worker, and to one of another configuration. Returns all answers as texts. */
export async function askTheWorker({ tokenEndpoint, clientId, elsewhere }: Target): Promise<string[]> {
  const [, handle = ""] = /(tokentide-handle:[^"]+)/.exec(await app.stored("")) ?? [];
  const renewal = { kind: "refresh", handle, until: Date.now() + 60_000, patience: 10_000 };
  const messages: Record<string, unknown>[] = [
    {},
    { kind: "read", handle },
    { kind: "constructor" },
    { kind: "holds", handle: [handle] },
    { kind: "take", refreshToken: handle },
    { kind: "exchange", code: "x", redirectUri: elsewhere },
    { ...renewal, version: 2 },
    { ...renewal, client: `${elsewhere} ${clientId}` },
    { ...renewal, parameters: { token_endpoint: elsewhere } },
    { ...renewal, parameters: { refresh_token: "x" } },
    { ...renewal, tokenEndpoint: elsewhere, issuer: elsewhere, url: elsewhere },
    { kind: "holds", handle },
  ];

  const ask = (endpoint: string, message: object) =>
    new Promise<string>((resolve) => {
      const address = `/vault-worker.js?${new URLSearchParams({ token_endpoint: endpoint, client_id: clientId })}`;
      const { port } = new SharedWorker(address, { type: "module", name: "tokentide", extendedLifetime: true } as WorkerOptions);
      port.onmessage = ({ data }) => resolve(JSON.stringify(data));
      port.postMessage({ id: 1, version: 1, client: `${endpoint} ${clientId}`, ...message });
    });
  const answers: string[] = [];
  for (const message of messages) answers.push(await ask(tokenEndpoint, message));
  for (const message of [renewal, { kind: "holds", handle }]) answers.push(await ask(elsewhere, message));
  return answers;
}
