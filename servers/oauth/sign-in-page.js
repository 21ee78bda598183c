import { addressOf, readBody } from "../http.js";
import { users } from "../users.js";

const prefix = "/sign-in/";

/** @import { IncomingMessage, ServerResponse } from "node:http" */

/** The authorization server's own page: pick who you are. Returns whether the path was its own. */
export function createSignInPage(/** @type {import("oidc-provider").Provider} */ provider) {
  return async function signInPage(/** @type {IncomingMessage} */ request, /** @type {ServerResponse} */ response) {
    if (!addressOf(request).pathname.startsWith(prefix)) return false;
    try {
      const { prompt } = await provider.interactionDetails(request, response);
      if (request.method === "POST") {
        const accountId = new URLSearchParams((await readBody(request)).toString()).get("user") ?? "";
        const result = Object.hasOwn(users, accountId) ? { login: { accountId } } : { error: "access_denied" };
        await provider.interactionFinished(request, response, result, { mergeWithLastSubmission: false });
      } else if (prompt.name === "consent") {
        await provider.interactionFinished(request, response, { consent: {} });
      } else {
        response.writeHead(200, { "Content-Type": "text/html; charset=utf-8", "Cache-Control": "no-store" }).end(page());
      }
    } catch (error) {
      if (!(error instanceof Error) || error.name !== "SessionNotFound") throw error;
      response.writeHead(400, { "Content-Type": "text/html; charset=utf-8" }).end(expired());
    }
    return true;
  };
}

const page = () =>
  document(
    "Who are you?",
    `<p>This is the demo’s own sign-in server. There are no passwords here.</p>
    <form method="post">
      ${Object.entries(users)
        .map(
          ([id, { name }]) =>
            `<button name="user" value="${id}" aria-label="Sign in as ${name}"><b aria-hidden="true">${name[0]}</b>${name}</button>`,
        )
        .join("\n      ")}
      <button name="user" value="" class="quiet">Cancel</button>
    </form>`,
  );

const expired = () =>
  document("This sign-in has ended", `<p>It was finished in another tab, or it took too long.</p><p><a href="/">Back to the demo</a></p>`);

const document = (/** @type {string} */ title, /** @type {string} */ content) => `<!doctype html>
<html lang="en">
<head>
  <meta charset="utf-8">
  <meta name="viewport" content="width=device-width, initial-scale=1">
  <meta name="color-scheme" content="light dark">
  <link rel="icon" href="data:,">
  <title>${title}</title>
  <style>${style}</style>
</head>
<body>
  <main>
    <h1>${title}</h1>
    ${content}
  </main>
</body>
</html>
`;

const style = `
  :root { --page: #f5f6f4; --card: #fff; --text: #1c2421; --soft: #56615c; --line: #d5dbd7; --accent: #0b6b5b; }
  @media (prefers-color-scheme: dark) {
    :root { --page: #121715; --card: #1a211e; --text: #e6ece9; --soft: #9fada7; --line: #33403a; --accent: #62cdb6; }
  }
  * { box-sizing: border-box; }
  body { margin: 0; min-height: 100vh; display: grid; place-items: center; padding: 1rem; background: var(--page); color: var(--text);
    font: 1rem/1.5 system-ui, sans-serif; }
  main { width: min(24rem, 100%); padding: 1.75rem; background: var(--card); border: 1px solid var(--line); border-radius: 14px; }
  h1 { margin: 0 0 .25rem; font-size: 1.4rem; }
  p { margin: 0 0 1.25rem; color: var(--soft); }
  form { display: grid; gap: .6rem; }
  button { display: flex; align-items: center; gap: .75rem; padding: .7rem .9rem; font: inherit; color: inherit; text-align: left;
    background: none; border: 1px solid var(--line); border-radius: 10px; cursor: pointer; }
  button:hover { border-color: var(--accent); }
  button:focus-visible, a:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; }
  b { display: grid; place-items: center; width: 2rem; height: 2rem; border-radius: 50%; background: var(--accent); color: var(--card); }
  .quiet { justify-content: center; border-color: transparent; color: var(--soft); }
  a { color: var(--accent); }
`;
