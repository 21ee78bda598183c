import "@angular/compiler";
import {
  HttpClient,
  HttpContext,
  type HttpErrorResponse,
  HttpHeaders,
  HttpResponse,
  provideHttpClient,
  withInterceptors,
} from "@angular/common/http";
import { HttpTestingController, provideHttpClientTesting } from "@angular/common/http/testing";
import * as angular from "@angular/core";
import { TestBed } from "@angular/core/testing";
import { BrowserTestingModule, platformBrowserTesting } from "@angular/platform-browser/testing";
import { afterEach, beforeAll, describe, expect, it } from "vitest";
import { injectSession, provideSession, SKIP_SESSION, sessionInterceptor } from "../../src/angular.js";
import { byCode, cookie, renewalHeader } from "../../src/index.js";
import { makeJwt } from "../../src/testing/jwt.js";
import type { Session } from "../../src/types/index.js";
import { HOUR, scene } from "../support/scene.js";

const API = "https://api.example.test";

beforeAll(() => {
  TestBed.initTestEnvironment(BrowserTestingModule, platformBrowserTesting());
});
afterEach(() => TestBed.resetTestingModule());

/** Which Angular 19 calls by another name. */
const { provideExperimentalZonelessChangeDetection: provideZoneless = angular.provideZonelessChangeDetection } =
  angular as unknown as Record<string, typeof angular.provideZonelessChangeDetection | undefined>;

function set(session: Session) {
  TestBed.configureTestingModule({
    providers: [
      provideZoneless(),
      provideSession(session),
      provideHttpClient(withInterceptors([sessionInterceptor])),
      provideHttpClientTesting(),
    ],
  });
  const requests = TestBed.inject(HttpTestingController);
  const outcome: { value?: unknown; status?: number; error?: unknown } = {};
  return {
    requests,
    outcome,
    post(url: string, { context = new HttpContext(), headers = {} }: { context?: HttpContext; headers?: Record<string, string> } = {}) {
      return TestBed.inject(HttpClient)
        .post(url, { hello: 1 }, { context, headers })
        .subscribe({
          next: (value) => {
            outcome.value = value;
          },
          error: (error: HttpErrorResponse) => {
            outcome.error = error;
            outcome.status = error.status;
          },
        });
    },
  };
}
class Note {
  constructor(public text: string) {}
  toJSON() {
    return { said: this.text };
  }
}
const refuse = { status: 401, statusText: "Unauthorized" };

describe("tokentide/angular", () => {
  it("is a signal that follows the session, until its injector is destroyed", async () => {
    const stage = scene();
    const app = await stage.open();
    set(app.bare);
    const snapshot = TestBed.runInInjectionContext(() => injectSession<{ sub: string }>());
    expect(snapshot().status).toBe("signed-out");
    await stage.clock.until(app.bare.signIn(stage.server.signIn("ada")));
    expect([snapshot().status, snapshot().claims?.sub]).toEqual(["signed-in", "ada"]);
    TestBed.resetTestingModule();
    await stage.clock.until(app.bare.signOut());
    expect(snapshot().status).toBe("signed-in");
  });

  it("R27 R28 sends the bearer, and two POSTs that get a 401 once more after one refresh", async () => {
    const stage = scene();
    const app = await stage.signedIn();
    const { post, requests, outcome } = set(app.bare);
    post(`${API}/things`);
    post(`${API}/things`);
    await stage.clock.settle();
    const first = requests.match(`${API}/things`);
    expect(first.map(({ request }) => request.headers.get("authorization") === `Bearer ${app.bare.peekToken()}`)).toEqual([true, true]);
    for (const sent of first) sent.flush(null, refuse);
    await stage.clock.advance(1000);
    const second = requests.match(`${API}/things`);
    expect(second.map(({ request }) => request.body)).toEqual([{ hello: 1 }, { hello: 1 }]);
    expect(second.map(({ request }) => request.headers.get("authorization") === `Bearer ${app.bare.peekToken()}`)).toEqual([true, true]);
    expect([stage.server.stats.refreshes, stage.serial(app)]).toEqual([1, 2]);
    second[0]!.flush({ fine: true });
    await stage.clock.settle();
    expect(outcome.value).toEqual({ fine: true });
    second[1]!.flush(null, refuse);
    await stage.clock.advance(1000);
    expect([outcome.status, app.status(), requests.match(() => true).length]).toEqual([401, "signed-in", 0]);
  });

  it.each(["a 401", "a 200"])("R54 rejects %s for a former user, hands no body over, and sends nothing as the new user", async (which) => {
    const stage = scene();
    const app = await stage.signedIn();
    const { post, requests, outcome } = set(app.bare);
    post(`${API}/things`);
    await stage.clock.settle();
    const sent = requests.expectOne(`${API}/things`);
    await stage.clock.until(app.bare.signIn(stage.server.signIn("grace")));
    if (which === "a 401") sent.flush(null, refuse);
    else sent.flush({ of: "ada" });
    await stage.clock.advance(1000);
    expect(outcome.error).toMatchObject({ name: "SessionError", code: "user-changed", lost: true, status: Number(which.slice(2)) });
    expect([outcome.value, requests.match(() => true).length]).toEqual([undefined, 0]);
  });

  it("R32 leaves other origins, and requests that say so, alone", async () => {
    const stage = scene();
    const app = await stage.signedIn();
    const { post, requests } = set(app.bare);
    const urls = [`${API}.evil.test/`, "https://elsewhere.example.test/"];
    for (const url of urls) post(url);
    post(`${API}/skip`, { context: new HttpContext().set(SKIP_SESSION, true) });
    post(`${API}/own`, { headers: { Authorization: "Basic mine" } });
    await stage.clock.settle();
    const sent = requests.match(() => true);
    expect(sent.map(({ request }) => request.headers.get("authorization"))).toEqual([null, null, null, "Basic mine"]);
  });

  it("goes by the session's classify, and hands on the answer as it came", async () => {
    const stage = scene({ session: { classify: byCode({ refresh: ["EXPIRED"] }) } });
    const app = await stage.signedIn();
    const { post, requests, outcome } = set(app.bare);
    post(`${API}/things`);
    await stage.clock.settle();
    requests.expectOne(`${API}/things`).flush({ code: "EXPIRED" }, { status: 419, statusText: "Expired" });
    await stage.clock.advance(1000);
    requests.expectOne(`${API}/things`).flush({ code: "FULL" }, { status: 409, statusText: "Conflict" });
    await stage.clock.settle();
    expect([stage.server.stats.refreshes, outcome.status]).toEqual([1, 409]);
  });

  it("R60 what comes after a redirect elsewhere is not the API's answer", async () => {
    const stage = scene({ session: { renewalHeader: renewalHeader("x-renewed") } });
    const app = await stage.signedIn();
    const { post, requests, outcome } = set(app.bare);
    const before = app.bare.peekToken();
    const forged = makeJwt({ sub: "ada", exp: Math.floor(stage.clock.worldNow() / 1000) + 86_400 });
    const headers = new HttpHeaders({ "x-renewed": forged });
    async function answerFrom(url: string, status: number) {
      post(`${API}/things`);
      await stage.clock.settle();
      requests.expectOne(`${API}/things`).event(new HttpResponse({ body: "", headers, status, url }));
      await stage.clock.advance(1000);
      return { renewed: app.bare.peekToken() === forged, refreshes: stage.server.stats.refreshes, value: outcome.value };
    }
    for (const status of [200, 401]) {
      expect(await answerFrom("https://evil.example.test/", status)).toEqual({ renewed: false, refreshes: 0, value: "" });
      expect([requests.match(() => true).length, app.bare.peekToken() === before]).toEqual([0, true]);
    }
    expect(await answerFrom(`${API}/elsewhere`, 200)).toMatchObject({ renewed: true, refreshes: 0 });
  });

  it("has no bearer where the token lives in a cookie, but the cookie", async () => {
    const stage = scene({ session: { refresh: cookie({ url: `${API}/renew`, accessTokenField: null }) } });
    const app = await stage.open();
    await stage.clock.until(app.bare.signIn({ expiresIn: 300 }));
    const { post, requests } = set(app.bare);
    post(`${API}/things`);
    await stage.clock.settle();
    const { request } = requests.expectOne(`${API}/things`);
    expect([request.headers.has("authorization"), request.withCredentials]).toEqual([false, true]);
  });

  it.each(["again", "after a wait"])("R46 sends the body %s as it was at the subscription", async (how) => {
    const stage = scene();
    const app = await stage.signedIn();
    if (how === "after a wait") await stage.clock.sleep(2 * HOUR);
    const { requests } = set(app.bare);
    const [form, params, bytes] = [new FormData(), new URLSearchParams("a=1"), new Uint8Array([65])];
    form.append("file", new File(["old"], "a.txt"));
    const [model, instance, list, moment] = [{ text: "old" }, new Note("old"), ["old"], new Date(0)];
    const sent = { model, instance, list, moment, form, params, bytes: bytes.buffer, text: "old", nothing: null, number: 1 };
    for (const [name, body] of Object.entries(sent)) TestBed.inject(HttpClient).post(`${API}/${name}`, body).subscribe();
    await stage.clock.settle();
    if (how === "again") for (const name in sent) requests.expectOne(`${API}/${name}`).flush(null, refuse);
    model.text = "new";
    instance.text = "new";
    list.push("new");
    moment.setTime(1);
    form.set("file", new Blob(["new"]), "b.txt");
    params.set("a", "2");
    bytes[0] = 66;
    await stage.clock.advance(2000);
    const again = new Map<string, [unknown, string | null]>();
    for (const name in sent) {
      const { request } = requests.expectOne(`${API}/${name}`);
      again.set(name, [request.serializeBody(), request.detectContentTypeHeader()]);
    }
    const file = (again.get("form")![0] as FormData).get("file") as File;
    expect([file.name, await file.text()]).toEqual(["a.txt", "old"]);
    again.delete("form");
    expect(
      [...again].map(([name, [body, type]]) => [
        name,
        body instanceof ArrayBuffer ? [...new Uint8Array(body)] : body && String(body),
        type,
      ]),
    ).toEqual([
      ["model", '{"text":"old"}', "application/json"],
      ["instance", '{"said":"old"}', "application/json"],
      ["list", '["old"]', "application/json"],
      ["moment", '"1970-01-01T00:00:00.000Z"', "application/json"],
      // As Angular has it.
      ["params", "a=1", "application/json"],
      ["bytes", [65], null],
      ["text", "old", "text/plain"],
      ["nothing", null, null],
      ["number", "1", "application/json"],
    ]);
  });

  it("R46 gives later interceptors the body itself as long as it says the same, also one that cannot be serialised", async () => {
    const stage = scene();
    const app = await stage.signedIn();
    const { requests } = set(app.bare);
    const circular: { self?: unknown } = {};
    circular.self = circular;
    const bodies = { model: new Note("same"), circular };
    for (const [name, body] of Object.entries(bodies)) TestBed.inject(HttpClient).post(`${API}/${name}`, body).subscribe();
    await stage.clock.settle();
    const seen = Object.keys(bodies).map((name) => requests.expectOne(`${API}/${name}`).request.body);
    expect([seen[0] === bodies.model, seen[1] === circular]).toEqual([true, true]);
  });

  it("R33 unsubscribing cancels the request, and no other; a network error stays one", async () => {
    const stage = scene();
    const app = await stage.signedIn();
    const { post, requests, outcome } = set(app.bare);
    const gone = post(`${API}/gone`);
    post(`${API}/stays`);
    await stage.clock.settle();
    const [first, second] = [requests.expectOne(`${API}/gone`), requests.expectOne(`${API}/stays`)];
    gone.unsubscribe();
    expect([first.cancelled, second.cancelled]).toEqual([true, false]);
    second.error(new ProgressEvent("error"));
    await stage.clock.settle();
    expect([outcome.status, stage.server.stats.refreshes]).toEqual([0, 0]);
    post(`${API}/odd`);
    await stage.clock.settle();
    requests.expectOne(`${API}/odd`).flush(null, { status: 999, statusText: "Request denied" });
    await stage.clock.settle();
    expect(outcome.status).toBe(999);
  });
});
