import type { Dice } from "../plan.js";
import type { Proof } from "../platform/keys.js";

export type Refusal = "use_dpop_nonce" | "invalid_dpop_proof";

/** For so long a server takes the nonce of a challenge. Two answers that are slow, and a request, take less. */
const NONCE_OF_CHALLENGE = 60_000;

/** How a server judges proofs: by its nonces, which it replaces when it likes, and by the time in them, if it is strict. */
export class ProofServer {
  readonly origin: string;
  readonly #dice: Dice;
  readonly #now: () => number;
  /** By how many milliseconds the time of a proof may be off. Undefined: by any. */
  readonly #bound: () => number | undefined;
  readonly #asks: boolean;
  /** The end of each nonce. */
  readonly #nonces = new Map<string, number>();
  readonly #seen = new Set<string>();
  #last = "";
  #count = 0;

  constructor(origin: string, dice: Dice, now: () => number, bound: () => number | undefined) {
    this.origin = origin;
    this.#dice = dice;
    this.#now = now;
    this.#bound = bound;
    this.#asks = dice.bool(0.8);
  }

  /** A nonce for an answer. Not each one has one, and some are good for a short time only. */
  nonce(): string | undefined {
    if (!this.#asks || this.#dice.bool(0.4)) return undefined;
    return this.#last && this.#dice.bool(0.6) ? this.#last : this.#make(this.#dice.whole(0, 90_000));
  }

  /** The nonce of a challenge. */
  challenge(): string {
    return this.#make(NONCE_OF_CHALLENGE);
  }

  /** Whether this server has made a nonce. */
  isOwn = (nonce: string): boolean => this.#nonces.has(nonce);

  /** Whether the proof has come before. */
  isRepeated({ jti }: Proof): boolean {
    const repeated = this.#seen.has(jti);
    this.#seen.add(jti);
    return repeated;
  }

  judge({ nonce, iat }: Proof): Refusal | undefined {
    const bound = this.#bound();
    if (bound !== undefined && Math.abs(iat * 1_000 - this.#now()) > bound) return "invalid_dpop_proof";
    const good = nonce !== undefined && this.#now() < (this.#nonces.get(nonce) ?? 0);
    return this.#asks && !good ? "use_dpop_nonce" : undefined;
  }

  #make(milliseconds: number): string {
    this.#count += 1;
    this.#last = `${new URL(this.origin).hostname}-${this.#count}`;
    this.#nonces.set(this.#last, this.#now() + milliseconds);
    return this.#last;
  }
}
