import "@angular/compiler";
import { HttpClient, provideHttpClient, withInterceptors } from "@angular/common/http";
import { HttpTestingController, provideHttpClientTesting } from "@angular/common/http/testing";
import * as angular from "@angular/core";
import { TestBed } from "@angular/core/testing";
import { BrowserTestingModule, platformBrowserTesting } from "@angular/platform-browser/testing";
import { beforeAll, expect, it } from "vitest";
import { provideSession, sessionInterceptor } from "../../src/angular.js";
import { boundScene } from "../support/bound.js";
import { SECOND } from "../support/scene.js";

beforeAll(() => {
  TestBed.initTestEnvironment(BrowserTestingModule, platformBrowserTesting());
});

it.each([[false], [true]])("a request that was unsubscribed at once is not sent, or is cancelled (dpop: %s)", async (withDpop) => {
  const { stage, open, signIn } = boundScene();
  const app = withDpop ? await open() : await stage.signedIn();
  if (withDpop) await signIn(app as never);
  TestBed.resetTestingModule();
  TestBed.configureTestingModule({
    providers: [
      angular.provideZonelessChangeDetection(),
      provideSession(app.bare),
      provideHttpClient(withInterceptors([sessionInterceptor])),
      provideHttpClientTesting(),
    ],
  });
  const requests = TestBed.inject(HttpTestingController);
  const subscription = TestBed.inject(HttpClient).post("https://api.example.test/pay", { a: 1 }).subscribe();
  subscription.unsubscribe();
  await stage.clock.advance(SECOND);
  const sent = requests.match(() => true);
  expect(sent.filter(({ cancelled }) => !cancelled).length).toBe(0);
});
