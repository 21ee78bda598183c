import { describe, expect, it } from "vitest";
import { cookie } from "../../src/index.js";
import { memory } from "../../src/session/memory.js";
import { makeJwt } from "../../src/testing/jwt.js";
import type { App } from "../support/app.js";
import { HOUR, type Scene, type SceneOptions, SECOND, scene } from "../support/scene.js";

const ADA = makeJwt({ sub: "ada", aud: "spa" });
const BOB = makeJwt({ sub: "bob", aud: "spa" });

/** A server whose token endpoint gives no id token: OpenID Connect leaves that to it. The scene knows the id tokens for secrets. */
function opened(options: SceneOptions = {}): Scene {
  const stage = scene(options);
  for (const idToken of [ADA, BOB]) stage.server.grants.secrets.add(idToken);
  return stage;
}
const signIn = (stage: Scene, options = {}, idToken = ADA) =>
  stage.signedIn(options, { ...stage.server.signIn(idToken === ADA ? "ada" : "bob"), id_token: idToken });
/** Whose it is: a token in a test's report would be one too many. */
async function owner(stage: Scene, app: App): Promise<string> {
  const token = await stage.clock.until(app.session.getIdToken(), 10_100);
  return token === ADA ? "ada" : token === BOB ? "bob" : String(token);
}

describe("R79 getIdToken", () => {
  it("gives the raw id token in every tab, after renewals that bring none, and after a reload", async () => {
    const stage = opened();
    const app = await signIn(stage);
    const other = await stage.open();
    expect([await owner(stage, app), await owner(stage, other)]).toEqual(["ada", "ada"]);
    await stage.clock.until(other.session.refresh());
    await stage.clock.advance(SECOND);
    expect([await owner(stage, app), await owner(stage, other)]).toEqual(["ada", "ada"]);
    expect(await owner(stage, await stage.open())).toBe("ada");
  });

  it("waits for the restore, and is null when signed out, before a sign-in and after it", async () => {
    const stage = opened();
    expect(await owner(stage, stage.start())).toBe("null");
    const app = await signIn(stage);
    expect(await owner(stage, stage.start())).toBe("ada");
    await stage.clock.until(app.session.signOut());
    await stage.clock.advance(SECOND);
    for (const each of stage.apps) expect(await owner(stage, each)).toBe("null");
  });

  it("is null where none came, and given where the access token has expired or lives in a cookie", async () => {
    const stage = opened();
    const app = await stage.signedIn();
    expect(await owner(stage, app)).toBe("null");
    const named = await signIn(stage, { name: "expired" });
    await stage.clock.sleep(2 * HOUR);
    named.tab.offline = true;
    expect(await owner(stage, named)).toBe("ada");
    const inCookie = await stage.open({ refresh: cookie({ url: "https://auth.example.test/token", accessTokenField: null }) });
    await stage.clock.until(inCookie.session.signIn({ idToken: ADA, expiresIn: 3_600 }));
    expect(await owner(stage, inCookie)).toBe("ada");
  });

  it("in memory mode siblings get it with the access token, or neither", async () => {
    for (const shareAccessToken of [true, false]) {
      const stage = opened({ shares: shareAccessToken, session: { persist: memory({ shareAccessToken }) } });
      const app = await signIn(stage);
      const sibling = await stage.open();
      const expected = shareAccessToken ? "ada" : "null";
      expect([await owner(stage, app), await owner(stage, sibling)]).toEqual(["ada", expected]);
      await stage.clock.until(app.session.refresh());
      expect(await owner(stage, sibling), "while the new tokens are on their way").toBe(expected);
      await stage.clock.advance(SECOND);
      expect(await owner(stage, sibling)).toBe(expected);
    }
  });

  it("is never the former user's, also while the new tokens are on their way", async () => {
    const stage = opened({ shares: true, session: { persist: memory() } });
    const app = await signIn(stage);
    const sibling = await stage.open();
    const signed = app.session.signIn({ ...stage.server.signIn("bob"), id_token: BOB });
    await stage.clock.until(signed);
    for (let step = 0; step < 20; step++) {
      const epoch = sibling.count("user-changed");
      expect(epoch > 0 ? ["bob"] : ["ada", "null"]).toContain(await owner(stage, sibling));
      await stage.clock.advance(1);
    }
    expect(await owner(stage, sibling)).toBe("bob");
    // The next sign-in brings none: the former one is not kept.
    await stage.clock.until(app.session.signIn(stage.server.signIn("eve")));
    await stage.clock.advance(SECOND);
    expect([await owner(stage, app), await owner(stage, sibling)]).toEqual(["null", "null"]);
  });

  it("settles within 10 s where storage hangs, and rejects once disposed of", async () => {
    const stage = opened();
    stage.world.stores.trouble = () => "hanging";
    const app = stage.start();
    expect(await owner(stage, app)).toBe("null");
    const waiting = stage.start();
    const asked = stage.outcome(waiting.session.getIdToken());
    waiting.bare.dispose();
    expect([await asked, await stage.outcome(waiting.session.getIdToken())]).toEqual(["disposed", "disposed"]);
  });
});
