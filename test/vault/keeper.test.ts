import { describe, expect, it } from "vitest";
import { json, text } from "../strategies/answers.js";
import { CLIENT, codeIn, handleIn, keeperScene } from "./keeper-scene.js";

const pending = () => new Promise<Response>(() => {});
const rotated = (serial: string, more: object = {}) =>
  json(200, { access_token: `access-${serial}`, refresh_token: `refresh-${serial}`, expires_in: 3600, ...more });

describe("a renewal in the worker", () => {
  it("gives a new handle with each answer, and presents each refresh token once", async () => {
    const { refresh, take, presented } = keeperScene();
    const first = await take();
    const one = await refresh(first);
    const two = await refresh(handleIn(one));
    expect([one, two]).toMatchObject([{ tokens: { accessToken: "access-1", expiresIn: 3600 } }, { tokens: { accessToken: "access-2" } }]);
    expect(new Set([first, handleIn(one), handleIn(two)]).size).toBe(3);
    expect(presented()).toEqual(["refresh-0", "refresh-1"]);
  });

  it("R102 is one request for all who ask with the same handle while it is under way", async () => {
    const { refresh, take, next, presented, clock } = keeperScene();
    const handle = await take();
    let answer!: (response: Response) => void;
    next.push(() => new Promise((resolve) => (answer = resolve)));
    const asked = [refresh(handle), refresh(handle)];
    await clock.advance(5000);
    asked.push(refresh(handle));
    await clock.settle();
    answer(rotated("1"));
    const answers = await Promise.all(asked);
    expect(new Set(answers.map(handleIn)).size).toBe(1);
    expect(presented()).toEqual(["refresh-0"]);
    // The lifetime counts from the request, whoever asked later.
    expect(answers.map((each) => "tokens" in each && each.tokens.expiresIn)).toEqual([3600, 3595, 3595]);
  });

  it.each([1, 2, 3])("gives its answer again to a handle of %d renewals ago, for a minute", async (count) => {
    const { refresh, take, presented, clock } = keeperScene();
    const handle = await take();
    let last = await refresh(handle);
    for (let more = 1; more < count; more++) last = await refresh(handleIn(last));
    await clock.advance(20_000);
    const again = await refresh(handle);
    expect([handleIn(again), "tokens" in again && again.tokens.expiresIn]).toEqual([handleIn(last), 3580]);
    expect(presented()).toHaveLength(count);
    await clock.advance(41_000);
    const later = await refresh(handle);
    expect(later).toMatchObject({ tokens: { accessToken: `access-${count + 1}` } });
    expect(presented().at(-1)).toBe(`refresh-${count}`);
  });

  it("gives no answer again whose token has expired, also when only the wall clock says so", async () => {
    const { refresh, take, next, presented, clock } = keeperScene();
    const handle = await take();
    next.push(() => rotated("1", { expires_in: 30 }));
    await refresh(handle);
    clock.jump(31_000);
    expect(await refresh(handle)).toMatchObject({ tokens: { accessToken: "access-1", expiresIn: 3600 } });
    expect(presented()).toEqual(["refresh-0", "refresh-1"]);
  });

  it("with other parameters waits for the one under way, and goes on with the refresh token that it brought", async () => {
    const { refresh, take, next, sent, clock } = keeperScene();
    const handle = await take();
    let answer!: (response: Response) => void;
    next.push(() => new Promise((resolve) => (answer = resolve)));
    const own = refresh(handle);
    const other = refresh(handle, { parameters: { resource: "https://other.example.test" } });
    await clock.settle();
    answer(rotated("own"));
    expect([handleIn(await own), handleIn(await other)].every((each) => each.startsWith("tokentide-handle:"))).toBe(true);
    expect(sent.map(({ form }) => [form.refresh_token, form.resource])).toEqual([
      ["refresh-0", undefined],
      ["refresh-own", "https://other.example.test"],
    ]);
  });

  it("keeps the refresh token of a server that does not rotate, and that of an answer which is of no other use", async () => {
    const { refresh, take, next, presented } = keeperScene();
    const handle = await take();
    next.push(() => json(200, { access_token: "a" }));
    const one = handleIn(await refresh(handle));
    next.push(() => json(200, { refresh_token: "rescued" }));
    expect(codeIn(await refresh(one))).toBe("invalid-response");
    await refresh(one);
    expect(presented()).toEqual(["refresh-0", "refresh-0", "rescued"]);
  });

  it("that fails leaves the refresh token, and the next one presents it; a failure is told to all who asked", async () => {
    const { refresh, take, next, presented } = keeperScene();
    const handle = await take();
    next.push(() => new TypeError("Failed to fetch"));
    const failures = await Promise.all([refresh(handle), refresh(handle)]);
    expect(failures).toEqual(Array(2).fill({ failed: expect.objectContaining({ code: "network", lost: true }) }));
    next.push(() => text(503, "busy"));
    expect(await refresh(handle)).toMatchObject({ failed: { code: "server", status: 503, lost: false } });
    next.push(() => json(429, {}, { "retry-after": "7" }));
    expect(await refresh(handle)).toMatchObject({ failed: { code: "throttled", retryAfter: 7000 } });
    next.push(() => json(401, { error: "invalid_client" }));
    expect(codeIn(await refresh(handle))).toBe("configuration");
    expect(codeIn(await refresh(handle))).toBe("no failure");
    expect(presented()).toEqual(Array(5).fill("refresh-0"));
  });

  it("that the server refuses is refused from then on, without a request", async () => {
    const { refresh, take, next, presented } = keeperScene();
    const handle = await take();
    next.push(() => json(400, { error: "invalid_grant" }));
    expect([codeIn(await refresh(handle)), codeIn(await refresh(handle))]).toEqual(["rejected", "rejected"]);
    expect(presented()).toHaveLength(1);
  });

  it("ends after the page's patience; a timer that is late lets the answer that waits behind it count", async () => {
    const { refresh, take, next, presented, clock, loop } = keeperScene();
    const handle = await take();
    next.push(pending);
    const asked = refresh(handle);
    await clock.advance(30_100);
    expect(await asked).toMatchObject({ failed: { code: "network", lost: true } });
    let answer!: (response: Response) => void;
    next.push(() => new Promise((resolve) => (answer = resolve)));
    const slept = refresh(handle);
    await clock.settle();
    loop.freeze();
    await clock.advance(60_000);
    loop.thaw();
    setTimeout(() => answer(rotated("1")));
    await clock.advance(100);
    expect(codeIn(await slept)).toBe("no failure");
    expect(presented()).toEqual(["refresh-0", "refresh-0"]);
  });

  it("of a page that is too late sends nothing", async () => {
    const { refresh, take, sent, clock } = keeperScene();
    const handle = await take();
    expect(codeIn(await refresh(handle, { until: clock.now() - 1 }))).toBe("timeout");
    expect(sent).toEqual([]);
  });
});

describe("a grant", () => {
  it("is one for a refresh token that two tabs give, and unknown to another worker", async () => {
    const { take, ask, refresh } = keeperScene();
    const handles = [await take("same"), await take("same"), await take("other")];
    expect(new Set(handles).size).toBe(2);
    expect([await ask("holds", { handle: handles[0]! }), await keeperScene().ask("holds", { handle: handles[0]! })]).toEqual([
      { holds: true },
      { holds: false },
    ]);
    for (const handle of ["tokentide-handle:", "tokentide-handle:id1.7", "tokentide-handle:id9.0", "refresh-0", "x"])
      expect(codeIn(await refresh(handle))).toBe("credential-lost");
  });

  it("is the same for a refresh token that it has used since: the tab that asked may have died before it stored the handle", async () => {
    const { refresh, take, presented, clock } = keeperScene();
    const answer = await refresh(await take());
    const again = await take();
    expect(await refresh(again)).toEqual(answer);
    await clock.advance(60_000);
    expect(codeIn(await refresh(await take()))).toBe("no failure");
    expect(presented()).toEqual(["refresh-0", "refresh-1"]);
  });

  it("is forgotten when fifty others were used later", async () => {
    const { take, ask } = keeperScene();
    const handles: string[] = [];
    for (let index = 0; index < 50; index++) handles.push(await take(`refresh-${index}`));
    await take("refresh-0");
    await take("refresh-50");
    const held = await Promise.all(handles.map(async (handle) => Object.values(await ask("holds", { handle }))[0]));
    expect(held).toEqual([true, false, ...Array(48).fill(true)]);
  });

  it("that is revoked is known no more, and the server hears of it; during a request, of the token that it brings", async () => {
    const { take, ask, refresh, sent, next, clock } = keeperScene({ revocationEndpoint: "https://auth.example.test/revoke" });
    const revoked = () => sent.filter(({ url }) => url.endsWith("/revoke")).map(({ form }) => form.token);
    const handle = await take();
    await ask("revoke", { handle });
    await clock.settle();
    expect([revoked(), codeIn(await refresh(handle)), await ask("holds", { handle })]).toEqual([
      ["refresh-0"],
      "credential-lost",
      { holds: false },
    ]);
    let answer!: (response: Response) => void;
    const second = await take("second");
    next.push(() => new Promise((resolve) => (answer = resolve)));
    const asked = refresh(second);
    await clock.settle();
    await ask("revoke", { handle: second });
    answer(rotated("late"));
    expect(codeIn(await asked)).toBe("credential-lost");
    await clock.settle();
    expect(revoked()).toEqual(["refresh-0", "refresh-late"]);
  });
});

describe("the exchange of a code", () => {
  it("gives tokens with a handle, and is one request for a code that comes twice", async () => {
    const { ask, refresh, sent } = keeperScene();
    const login = { code: "c", codeVerifier: "v", redirectUri: "https://app.example.test/callback" };
    const answers = await Promise.all([ask("exchange", login), ask("exchange", login)]);
    expect(answers[0]).toEqual(answers[1]);
    expect(answers[0]).toMatchObject({ tokens: { accessToken: "access-1", refreshToken: expect.stringMatching(/^tokentide-handle:/) } });
    expect(sent.map(({ form }) => form)).toEqual([
      {
        grant_type: "authorization_code",
        code: "c",
        code_verifier: "v",
        redirect_uri: "https://app.example.test/callback",
        client_id: "spa",
      },
    ]);
    expect(codeIn(await refresh(handleIn(answers[0]!)))).toBe("no failure");
  });

  it("is one request for each code, where two logins come back at once, and one of them fails", async () => {
    const { ask, next, sent } = keeperScene();
    next.push(() => new TypeError("Failed to fetch"));
    const codes = ["lost", "c", "lost", "c"];
    await Promise.all(codes.map((code) => ask("exchange", { code })));
    expect(codeIn(await ask("exchange", { code: "c" }))).toBe("no failure");
    expect(sent.map(({ form }) => form.code)).toEqual(["lost", "c"]);
  });

  it("is refused without a request after its session was revoked, after a minute, and without its verifier", async () => {
    const { ask, clock, sent } = keeperScene();
    const login = { code: "c", codeVerifier: "v" };
    const first = await ask("exchange", login);
    await clock.advance(50 * 1000);
    expect(await ask("exchange", login)).toMatchObject({ tokens: { refreshToken: handleIn(first), expiresIn: 3550 } });
    expect(codeIn(await ask("exchange", { code: "c" }))).toBe("rejected");
    await clock.advance(11 * 1000);
    expect(codeIn(await ask("exchange", login))).toBe("rejected");
    const other = await ask("exchange", { ...login, code: "d" });
    await ask("revoke", { handle: handleIn(other) });
    expect(codeIn(await ask("exchange", { ...login, code: "d" }))).toBe("rejected");
    expect(sent.filter(({ form }) => form.code).length).toBe(2);
  });

  it("that fails says why, and may be tried again", async () => {
    const { ask, next } = keeperScene();
    next.push(() => new TypeError("Failed to fetch"));
    expect(codeIn(await ask("exchange", { code: "c" }))).toBe("network");
    expect(codeIn(await ask("exchange", { code: "c" }))).toBe("no failure");
    next.push(() => json(400, { error: "invalid_grant" }));
    expect(codeIn(await ask("exchange", { code: "d" }))).toBe("rejected");
  });

  it("brings no handle where the server gives no refresh token", async () => {
    const { ask, next } = keeperScene();
    next.push(() => json(200, { access_token: "a" }));
    expect(await ask("exchange", { code: "c" })).toEqual({ tokens: { accessToken: "a" } });
  });
});

describe("what a page may say", () => {
  const good = { version: 1, client: `${CLIENT.tokenEndpoint} spa`, kind: "refresh", until: Number.MAX_VALUE, patience: 1000 };

  it.each([
    undefined,
    null,
    "refresh",
    7,
    [],
    {},
    { ...good, version: 2 },
    { ...good, kind: "constructor" },
    { ...good, kind: "steal" },
    { ...good, kind: ["refresh"], handle: "x" },
    { ...good, client: "https://evil.test/token spa" },
    { ...good, handle: 7 },
    { ...good, handle: "x".repeat(70_000) },
    { ...good, handle: "x", until: "soon" },
    { ...good, handle: "x", patience: 1e9 },
    { ...good, handle: "x", patience: -1 },
    { ...good, handle: "x", parameters: { grant_type: "password" } },
    { ...good, handle: "x", parameters: { client_id: "other" } },
    { ...good, handle: "x", parameters: { scope: { toString: () => "x" } } },
    { ...good, handle: "x", tokenEndpoint: "https://evil.test" },
    { ...good, kind: "take", refreshToken: "" },
    { ...good, kind: "exchange", code: ["c"] },
    { ...good, kind: "exchange", code: "c", redirectUri: 7 },
  ])("%j sends nothing, and is answered with what is wrong", async (message) => {
    const { keeper, sent, take } = keeperScene();
    await take("secret-refresh");
    const answer = await keeper.answer(message);
    expect(["configuration", "credential-lost"]).toContain(codeIn(answer));
    expect(sent).toEqual([]);
    expect(JSON.stringify(answer)).not.toContain("secret");
  });

  it("R101 decides neither where the worker sends, nor with which cookies; a redirect is not followed", async () => {
    const { refresh, take, sent, next } = keeperScene();
    const handle = await take();
    next.push(() => new Response(null, { status: 307, headers: { location: "https://evil.test/" } }));
    expect(codeIn(await refresh(handle, { parameters: { scope: "a", resource: "b", audience: "c" } }))).toBe("server");
    const { url, request, form } = sent[0]!;
    expect([url, request.credentials, request.redirect, request.cache]).toEqual([CLIENT.tokenEndpoint, "omit", "manual", "no-store"]);
    expect(form).toEqual({
      scope: "a",
      resource: "b",
      audience: "c",
      grant_type: "refresh_token",
      refresh_token: "refresh-0",
      client_id: "spa",
    });
  });

  it("R101 never brings a refresh token back, nor text of the server", async () => {
    const { refresh, take, next, ask } = keeperScene();
    const answers: unknown[] = [];
    const bad = [
      () => json(400, { error: "invalid_grant", error_description: "secret-refresh" }),
      () => json(401, { error: "secret-refresh" }),
      () => text(200, "secret-refresh"),
      () => json(200, { access_token: 7, refresh_token: "secret-refresh" }),
      () => json(200, { access_token: "a", token_type: "secret-refresh" }),
      () => new TypeError("secret-refresh"),
    ];
    for (const each of bad) {
      next.push(each);
      answers.push(await refresh(await take(`secret-refresh ${answers.length}`)));
      next.push(each);
      answers.push(await ask("exchange", { code: `secret-refresh ${answers.length}` }));
    }
    answers.push(await ask("revoke", { handle: "secret-refresh" }));
    expect(JSON.stringify(answers)).not.toContain("secret");
    expect(answers.map((each) => codeIn(each as never)).filter((code) => code === "no failure")).toHaveLength(1);
  });
});
