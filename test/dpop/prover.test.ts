import { expect, it } from "vitest";
import { createProver, type ProverParts } from "../../src/dpop/prover.js";
import type { LedgerRecord } from "../../src/ledger/record.js";

const URL = "https://auth.example.test/token";

/** The proofs of one attempt, of a page whose device has the right time. */
function attempt() {
  const parts = {
    environment: { now: () => Date.now(), crypto: globalThis.crypto },
    clock: { toDevice: (instant: number) => instant },
    ledger: { current: undefined },
    report: { warnOnce() {} },
    isOfFormerUser: () => false,
  } as unknown as ProverParts;
  return createProver(parts).forAttempt({} as LedgerRecord);
}

const asks = (nonce?: string) =>
  new Response('{"error":"use_dpop_nonce"}', { status: 400, headers: nonce === undefined ? {} : { "dpop-nonce": nonce } });

it.each([
  ["another nonce each time: the server works, and a later attempt may succeed", ["n1", "n2"], "server"],
  ["the same nonce again", ["n1", "n1"], "configuration"],
  ["a nonce that script cannot read", [undefined], "configuration"],
])("says what is wrong when the token endpoint asks for %s", async (_, nonces, code) => {
  const answers = nonces.map(asks);
  const send = async () => answers.shift() as Response;
  await expect(attempt().send(send, URL, { method: "POST", body: "x" })).rejects.toMatchObject({ code, status: 400 });
  expect(answers).toEqual([]);
});
