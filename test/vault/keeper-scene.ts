import { Clock } from "../../src/testing/clock.js";
import { Tab, type Task } from "../../src/testing/tab.js";
import { createKeeper, type KeeperOptions } from "../../src/vault/keeper.js";
import type { Answer, Requests } from "../../src/vault/protocol.js";
import { json } from "../strategies/answers.js";

export const CLIENT = { tokenEndpoint: "https://auth.example.test/token", clientId: "spa" };
const CLIENT_ID = `${CLIENT.tokenEndpoint} ${CLIENT.clientId}`;

export interface Sent {
  readonly url: string;
  readonly form: Record<string, string>;
  readonly request: Request;
}

type Reply = Response | Error | Promise<Response>;

/** A worker on a server that rotates, unless `next` has the answers to the next requests. */
export function keeperScene(options: Partial<KeeperOptions> = {}) {
  const clock = new Clock(2);
  const loop = new Tab(clock, "worker");
  const sent: Sent[] = [];
  const next: ((sent: Sent) => Reply)[] = [];
  let serial = 0;
  const rotates = (): Reply => {
    serial++;
    return json(200, { access_token: `access-${serial}`, refresh_token: `refresh-${serial}`, expires_in: 3600, token_type: "Bearer" });
  };
  const fetch: typeof globalThis.fetch = async (input, init) => {
    const request = new Request(input, init);
    const call = { url: request.url, form: Object.fromEntries(new URLSearchParams(await request.clone().text())), request };
    sent.push(call);
    const reply = (next.shift() ?? rotates)(call);
    const aborted = new Promise<never>((_, reject) => request.signal.addEventListener("abort", () => reject(request.signal.reason)));
    if (reply instanceof Error) throw reply;
    return Promise.race([reply, aborted]);
  };
  let ids = 0;
  const keeper = createKeeper({ ...CLIENT, ...options } as KeeperOptions, {
    now: () => clock.now(),
    monotonic: () => clock.monotonic(),
    setTimeout: (callback, milliseconds) => loop.setTimeout(callback, milliseconds),
    clearTimeout: (handle) => loop.clearTimeout(handle as Task),
    fetch,
    origin: "https://app.example.test",
    randomId: () => `id${++ids}`,
  });
  const ask = <K extends keyof Requests>(kind: K, request: Requests[K]): Promise<Answer> =>
    keeper.answer({ version: 1, client: CLIENT_ID, kind, ...request });
  const refresh = (handle: string, more: Partial<Requests["refresh"]> = {}) =>
    ask("refresh", { handle, until: clock.now() + 10_000, patience: 30_000, ...more });
  const take = async (refreshToken = "refresh-0"): Promise<string> => ((await ask("take", { refreshToken })) as { handle: string }).handle;
  return { clock, loop, keeper, sent, next, ask, refresh, take, presented: () => sent.map(({ form }) => form.refresh_token) };
}

/** The refresh token of an answer, which is a handle. */
export const handleIn = (answer: Answer): string => ("tokens" in answer && answer.tokens.refreshToken) || "none";
/** The code of a failure. */
export const codeIn = (answer: Answer): string => ("failed" in answer ? answer.failed.code : "no failure");
