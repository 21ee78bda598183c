import "@angular/compiler";
import { HttpClient, HttpContext, type HttpErrorResponse, provideHttpClient, withInterceptors } from "@angular/common/http";
import { HttpTestingController, provideHttpClientTesting } from "@angular/common/http/testing";
import * as angular from "@angular/core";
import { TestBed } from "@angular/core/testing";
import { BrowserTestingModule, platformBrowserTesting } from "@angular/platform-browser/testing";
import { afterEach, beforeAll, describe, expect, it } from "vitest";
import { injectSession, provideSession, SKIP_SESSION, sessionInterceptor } from "../../src/angular.js";
import { byCode, cookie } from "../../src/index.js";
import type { Session } from "../../src/types.js";
import { scene } from "../support/scene.js";

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
  const outcome: { value?: unknown; status?: number } = {};
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
          error: ({ status }: HttpErrorResponse) => {
            outcome.status = status;
          },
        });
    },
  };
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

  it("does not send the request of one user as another", async () => {
    const stage = scene();
    const app = await stage.signedIn();
    const { post, requests, outcome } = set(app.bare);
    post(`${API}/things`);
    await stage.clock.settle();
    const sent = requests.expectOne(`${API}/things`);
    await stage.clock.until(app.bare.signIn(stage.server.signIn("grace")));
    sent.flush(null, refuse);
    await stage.clock.advance(1000);
    expect([outcome.status, requests.match(() => true).length]).toEqual([401, 0]);
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
