import type { FeatureBug } from "./planted.js";

const keeper = "src/vault/keeper.ts";

/** Mistakes of a worker that keeps refresh tokens, and of its pages. */
export const VAULT_BUGS: FeatureBug[] = [
  {
    name: "a worker that sends two requests for one grant at once",
    patches: [{ file: keeper, from: "if (!underWay) {", to: "if (!underWay || underWay.parameters) {" }],
    breaks: /^vault/,
    named: ["vault"],
  },
  {
    name: "a worker that forgets its last answer",
    patches: [
      { file: keeper, from: "handle === handleOf(grant) ? undefined : lastAnswer(grant, key)", to: "undefined as TokenSet | undefined" },
    ],
    breaks: /^vault/,
    named: ["vault"],
  },
  {
    name: "a worker that answers with the refresh token of the server",
    patches: [{ file: keeper, from: "const answer = { ...tokens, refreshToken: handleOf(grant) };", to: "const answer = { ...tokens };" }],
    breaks: /^vault/,
    named: ["vault"],
  },
  {
    name: "a lost worker that counts as a failure that passes",
    patches: [{ file: keeper, from: 'new SessionError("credential-lost", "the worker', to: 'new SessionError("server", "the worker' }],
    breaks: /^P4/,
    named: ["vault"],
  },
  {
    name: "a lost worker whose session ends as expired",
    patches: [
      {
        file: "src/session/token-source.ts",
        from: "isFinal(failure?.code) ?",
        to: 'isFinal(failure?.code) && failure?.code !== "credential-lost" ?',
      },
    ],
    breaks: /^vault/,
    named: ["vault"],
  },
  {
    name: "a lost worker that counts as a refusal of the server",
    patches: [{ file: keeper, from: 'new SessionError("credential-lost", "the worker', to: 'new SessionError("rejected", "the worker' }],
    breaks: /^vault/,
    named: ["vault"],
  },
  {
    name: "a worker that aborts a request whose answer waits",
    patches: [
      {
        file: "src/vault/server.ts",
        from: "const stop = deadline(environment, environment.monotonic() + patience, () => controller.abort());",
        to: "const timer = environment.setTimeout(() => controller.abort(), patience);\n    const stop = () => environment.clearTimeout(timer);",
      },
    ],
    breaks: /^vault/,
    named: ["vault"],
  },
  {
    name: "a worker that sends for a page that is too late",
    patches: [{ file: keeper, from: "if (environment.now() > until)", to: "if (until < 0)" }],
    breaks: /^(vault|P1)/,
    named: ["vault"],
  },
  {
    name: "a worker that knows the last handle only",
    patches: [{ file: "src/vault/grants.ts", from: "Number(serial) <= grant.serial", to: "Number(serial) === grant.serial" }],
    breaks: /^vault/,
    named: ["vault"],
  },
  {
    name: "a worker that makes two grants of one refresh token",
    patches: [{ file: "src/vault/grants.ts", from: "current === refreshToken || given === refreshToken", to: "!current && !given" }],
    breaks: /^vault/,
    named: ["vault"],
  },
  {
    name: "a worker that does not know a refresh token that it has used",
    patches: [{ file: "src/vault/grants.ts", from: "current === refreshToken || given === refreshToken", to: "current === refreshToken" }],
    breaks: /^vault/,
    named: ["vault"],
  },
  {
    name: "a worker that exchanges a code as often as it comes",
    patches: [{ file: "src/vault/exchange.ts", from: "if (known) return again(known, proof);", to: "" }],
    breaks: /^vault/,
    named: ["vault"],
  },
  {
    name: "a record that is read in part, and stored",
    patches: [
      { file: "src/ledger/copy.ts", from: "const partial = !alone && isNewerRelease(next);", to: "const partial = false;" },
      { file: "src/ledger/format.ts", from: "&& !isNewerRelease(next) && next!", to: "&& next!" },
    ],
    breaks: /^(vault|P4)/,
    named: ["vault", "slow-opening"],
  },
];
