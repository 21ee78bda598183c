import { fetchRequestHandler } from "@trpc/server/adapters/fetch";
import { describe, expect, it } from "vitest";
import { type Api, expectSurvival, startApi } from "./api.js";
import { runSample } from "./sample.js";
import { answerGraphql, createNotes, createRouter } from "./server.js";

type Post = (path: string, body: { text: string }) => Promise<number>;

/** The status of a call that throws what its library throws. */
async function statusOf(call: Promise<unknown>, read: (error: never) => number | undefined): Promise<number> {
  try {
    await call;
    return 200;
  } catch (error) {
    return read(error as never) ?? Number.NaN;
  }
}

const text = "a POST survives a 401, parallel calls cause one refresh, and after a sign-out nothing is attached";

describe("clients over HTTP, as docs/libraries.md has them", () => {
  it(`openapi-fetch: ${text}`, async () => {
    const api = await startApi();
    const session = await api.session();
    const { api: client } = await runSample<{ api: { POST(path: string, init: unknown): Promise<{ response: Response }> } }>(
      "openapi-fetch",
      api,
      session,
    );
    await expectSurvival(api, session, async (path, body) => (await client.POST(path, { body })).response.status);
  });

  it(`ofetch: ${text}`, async () => {
    const api = await startApi();
    const session = await api.session();
    const { api: client } = await runSample<{ api: (path: string, init: object) => Promise<unknown> }>("ofetch and Nuxt", api, session);
    const post: Post = (path, body) => statusOf(client(path, { method: "POST", body }), ({ status }: { status: number }) => status);
    await expectSurvival(api, session, post);
  });

  it(`tRPC: ${text}`, async () => {
    const notes = createNotes();
    const router = createRouter(notes);
    const api = await startApi((req) => fetchRequestHandler({ endpoint: "/trpc", req, router }));
    const session = await api.session();
    type Client = { add: { mutate(note: { text: string }): Promise<number> } };
    const { api: client } = await runSample<{ api: Client }>("tRPC", api, session);
    const post: Post = (_, note) => statusOf(client.add.mutate(note), ({ meta }: { meta: { response: Response } }) => meta.response.status);
    await expectSurvival(api, session, post, () => notes);
  });

  it("ky and axios: the samples run", async () => {
    const api = await startApi((request) => Response.json({ path: new URL(request.url).pathname }));
    const session = await api.session();
    for (const heading of ["ky", "axios"]) await runSample(heading, api, session);
    expect(api.received.map(({ body }) => body)).toEqual(['{"text":"hello"}', '{"text":"hello"}']);
  });
});

/** An API by GraphQL, and who asks it: users by the token they come with. */
async function startGraphql(): Promise<{ api: Api; notes: string[] }> {
  const notes = createNotes();
  const api: Api = await startApi((request) => {
    const bearer = request.headers.get("authorization")?.slice("Bearer ".length) ?? "";
    const { subject } = api.auth.grants.check(bearer) as { subject: string };
    return answerGraphql(notes, request, () => ({ id: "me", name: subject }));
  });
  return { api, notes };
}

describe("Apollo Client, as docs/libraries.md has it", () => {
  type Gql = typeof import("@apollo/client").gql;
  type Sample = { client: InstanceType<typeof import("@apollo/client").ApolloClient> };
  const gql = async (...given: Parameters<Gql>) => (await import("@apollo/client")).gql(...given);

  async function open() {
    const { api, notes } = await startGraphql();
    const session = await api.session();
    const { client } = await runSample<Sample>("Apollo Client", api, session);
    return { api, notes, session, client };
  }

  it(text, async () => {
    const { api, notes, session, client } = await open();
    const mutation = await gql`mutation Add($text: String!) { add(text: $text) }`;
    const post: Post = (_, variables) =>
      statusOf(client.mutate({ mutation, variables }), ({ statusCode }: { statusCode: number }) => statusCode);
    await expectSurvival(api, session, post, () => notes);
  });

  it("a sign-out empties the cache; what is watched is asked anew when the user changes", async () => {
    const { api, session, client } = await open();
    const query = await gql`{ me { id name } }`;
    const seen: unknown[] = [];
    const watch = client.watchQuery<{ me: { name: string } }>({ query }).subscribe(({ data }) => seen.push(data?.me?.name));
    await expect.poll(() => seen.at(-1)).toBe("ada");
    await session.signIn(api.auth.signIn("bob"));
    await expect.poll(() => seen.at(-1)).toBe("bob");
    watch.unsubscribe();
    expect(JSON.stringify(client.extract())).toContain("bob");
    await session.signOut();
    await expect.poll(() => JSON.stringify(client.extract())).toBe("{}");
  });
});

describe("urql, as docs/libraries.md has it", () => {
  type Sample = { client: import("@urql/core").Client };

  it(text, async () => {
    const { api, notes } = await startGraphql();
    const session = await api.session();
    const sample = await runSample<Sample>("urql", api, session);
    const post: Post = async (_, variables) => {
      const { error } = await sample.client.mutation("mutation ($text: String!) { add(text: $text) }", { ...variables });
      return error ? error.response.status : 200;
    };
    await expectSurvival(api, session, post, () => notes);
  });

  it("nothing of one user is left for the next one, nor after a sign-out", async () => {
    const { api } = await startGraphql();
    const session = await api.session();
    const sample = await runSample<Sample>("urql", api, session);
    const name = async (requestPolicy: "cache-first" | "cache-only") =>
      (await sample.client.query("{ me { id name } }", {}, { requestPolicy })).data?.me.name;
    expect([await name("cache-first"), await name("cache-only")]).toEqual(["ada", "ada"]);
    await session.signIn(api.auth.signIn("bob"));
    await expect.poll(() => name("cache-first")).toBe("bob");
    await session.signOut();
    expect(await name("cache-only")).toBeUndefined();
  });
});

describe("TanStack Query, as docs/libraries.md has it", () => {
  const { stringify } = JSON;
  type Sample = { queries: import("@tanstack/query-core").QueryClient };

  async function open() {
    const api: Api = await startApi(async (request) => {
      const bearer = request.headers.get("authorization")?.slice("Bearer ".length) ?? "";
      return request.method === "GET" ? Response.json((api.auth.grants.check(bearer) as { subject: string }).subject) : undefined;
    });
    const session = await api.session();
    const { queries } = await runSample<Sample>("TanStack Query", api, session);
    async function load(path: string, init?: RequestInit): Promise<unknown> {
      const response = await session.fetch(api.origin + path, init);
      if (!response.ok) throw Object.assign(new Error("refused"), { status: response.status });
      return response.json();
    }
    return { api, session, queries, load };
  }

  it(text, async () => {
    const { api, session, queries, load } = await open();
    const mutations = queries.getMutationCache();
    const post: Post = (path, note) => {
      const mutation = mutations.build(queries, { mutationFn: () => load(path, { method: "POST", body: stringify(note) }) });
      return statusOf(mutation.execute(undefined), ({ status }: { status: number }) => status);
    };
    await expectSurvival(api, session, post);
  });

  it("what is on the screen is the new user's; what was under way for the former one never gets into the cache", async () => {
    const { QueryObserver } = await import("@tanstack/query-core");
    const { api, session, queries, load } = await open();
    const observer = new QueryObserver(queries, { queryKey: ["me"], queryFn: () => load("/me") });
    const stop = observer.subscribe(() => {});
    await expect.poll(() => observer.getCurrentResult().data).toBe("ada");
    api.auth.apiLatency = () => 100;
    const late = queries.fetchQuery({ queryKey: ["late"], queryFn: () => load("/late") });
    late.catch(() => {});
    await expect.poll(() => api.auth.apiCalls.length).toBe(2);
    api.auth.apiLatency = () => 0;
    await session.signIn(api.auth.signIn("bob"));
    expect(queries.getQueryData(["me"])).toBeUndefined();
    await expect.poll(() => observer.getCurrentResult().data).toBe("bob");
    await expect.poll(() => api.auth.stats.apiOk).toBe(3);
    await late.catch(() => {});
    expect(queries.getQueryData(["late"])).toBeUndefined();
    stop();
  });

  it("a sign-out empties the cache, and nothing is retried", async () => {
    const { api, session, queries, load } = await open();
    await queries.fetchQuery({ queryKey: ["me"], queryFn: () => load("/me") });
    await session.signOut();
    expect(queries.getQueryCache().getAll()).toEqual([]);
    const calls = api.auth.apiCalls.length;
    // fetchQuery does not retry unless told to; what components use does.
    const { retry } = queries.getDefaultOptions().queries!;
    await expect(queries.fetchQuery({ queryKey: ["me"], queryFn: () => load("/me"), retry: retry! })).rejects.toMatchObject({
      status: 401,
    });
    expect(api.auth.apiCalls.length).toBe(calls + 1);
  });
});

describe("GraphQL errors with a 200, as docs/libraries.md has them", () => {
  const json = { "content-type": "application/graphql-response+json; charset=utf-8" };
  const expired = JSON.stringify({ errors: [{ extensions: { code: "UNAUTHENTICATED" } }] });

  it.each([
    [() => new Response(expired, { headers: json }), "refresh"],
    [() => new Response("{}", { status: 401, headers: json }), "refresh"],
    [() => new Response(JSON.stringify({ data: {} }), { headers: json }), "ok"],
    [() => new Response("no JSON", { headers: json }), "ok"],
    [() => new Response(expired, { headers: { "content-type": "text/html" } }), "ok"],
    // A stream that never ends is not waited for (R51).
    [() => new Response(new ReadableStream(), { headers: { "content-type": "text/event-stream" } }), "ok"],
  ] as const)("R51 answer %#", async (answer, verdict) => {
    const api = await startApi();
    const { classify } = await runSample<{ classify: NonNullable<import("../../src/index.js").SessionOptions["classify"]> }>(
      "GraphQL errors with a 200",
      api,
      await api.session(),
    );
    expect(await classify({ response: answer(), request: new Request(api.origin) })).toBe(verdict);
  });
});
