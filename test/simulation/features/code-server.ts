import type { Tab } from "../../../src/testing/tab.js";
import type { Browser } from "../browser.js";
import type { Dice } from "../plan.js";
import { type Call, response, tokenResponse } from "../platform/worker.js";

interface Code {
  readonly subject: string;
  /** Who has presented it, and whether the answer was lost. */
  readonly sent: { readonly worker: Tab; lost: boolean }[];
}

/** The further endpoints of a server: it exchanges the codes of logins, once each, and revokes. */
export class CodeServer {
  readonly #browser: Browser;
  readonly #dice: Dice;
  readonly #codes = new Map<string, Code>();

  constructor(browser: Browser, dice: Dice) {
    this.#browser = browser;
    this.#dice = dice;
  }

  /** Makes the code of a login. */
  code(subject: string): string {
    const code = `c.${this.#codes.size + 1}`;
    this.#codes.set(code, { subject, sent: [] });
    return code;
  }

  answer(worker: Tab, { url, form, signal }: Call): Promise<Response> {
    const { clock, calm, log, network, observer } = this.#browser;
    const dice = this.#dice;
    const presented = form.get("code") ?? form.get("token") ?? "";
    log(worker.name, `sends ${presented} to ${url}`);
    const code = this.#codes.get(presented);
    for (const { worker: former, lost } of code?.sent ?? [])
      if (!lost && !former.dead) observer.violate("vault", `${worker.name} presents ${presented} once more, and no answer was lost`);
    const own = { worker, lost: false };
    code?.sent.push(own);
    const way = () => dice.skewed(10, 400) + (!calm && dice.bool(0.1) ? dice.whole(1_000, 40_000) : 0);
    const lost = network.offline || (!calm && dice.bool(0.1));
    return new Promise((resolve, reject) => {
      signal?.addEventListener("abort", () => {
        own.lost = true;
        reject(signal.reason);
      });
      clock.world.add(
        way(),
        () => {
          const answer = this.#process(presented, code);
          clock.world.add(
            way(),
            () => {
              own.lost ||= lost;
              worker.post("network", 0, () => (lost ? reject(new TypeError("Failed to fetch")) : resolve(answer)));
            },
            true,
          );
        },
        true,
      );
    });
  }

  #process(presented: string, code: Code | undefined): Response {
    const { authority } = this.#browser;
    if (code)
      return code.sent.length > 1 ? tokenResponse({ status: 400 }) : tokenResponse({ status: 200, tokens: authority.signIn(code.subject) });
    const grant = authority.grantOf(presented);
    if (grant) grant.revoked = true;
    return response(200);
  }
}
