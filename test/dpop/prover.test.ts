import { expect, it } from "vitest";
import { createProver, type ProverParts } from "../../src/dpop/prover.js";
import type { LedgerRecord } from "../../src/ledger/record.js";

const URL = "https://auth.example.test/token";

const lease = { epoch: 1, version: 1, refreshing: { tab: "a", since: 1, timeout: 10_000 } } as LedgerRecord;

/** The proofs of one attempt, of a page whose device has the right time. `found`: what the ledger has when the page reads it again. */
function attempt(found: LedgerRecord = lease) {
  const parts = {
    environment: { now: () => Date.now(), crypto: globalThis.crypto },
    clock: { toDevice: (instant: number) => instant },
    ledger: { current: found, read: async () => {} },
    report: { warnOnce() {} },
    isOfFormerUser: () => false,
  } as unknown as ProverParts;
  return createProver(parts).forAttempt(lease, false);
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

it.each([
  ["has committed", { ...lease, version: 2, refreshing: undefined }],
  ["refreshes", { ...lease, refreshing: { tab: "b", since: 2, timeout: 10_000 } }],
  ["has signed out", { ...lease, epoch: 2, signedIn: false, refreshing: undefined }],
])("does not present the refresh token again to a server that asks for a nonce when another tab %s meanwhile", async (_, found) => {
  let sent = 0;
  const send = async () => {
    sent += 1;
    return sent === 1 ? asks("n1") : new Response("{}");
  };
  await expect(attempt(found).send(send, URL, { method: "POST", body: "x" })).rejects.toMatchObject({ code: "timeout" });
  expect(sent).toBe(1);
});
