import { createPlace, type Reconciling } from "../../src/ledger/place.js";
import { FakeStore } from "./fake-store.js";

interface Value {
  readonly written: string;
  readonly tokens?: string | undefined;
}

/** A place, and what it does with changes that write a value of a name. */
export function setUp({ store = new FakeStore() as FakeStore | null } = {}) {
  /** What happens, in order. */
  const seen: string[] = [];
  const warnings: string[] = [];
  /** What this tab brings back. Undefined: this is no moment to return. */
  let brings: ReturnType<Reconciling["comeBack"]> = {
    write: undefined,
    done: () => seen.push("is back"),
  };
  /** Storage has been silent for so long that it counts as hanging. */
  let silence: (() => void) | undefined;
  const place = createPlace(store ?? undefined, {
    stored: (value, all) => (value && !all ? { ...(value as Value), tokens: undefined } : value),
    comeBack(value) {
      seen.push(`finds ${(value as Value | undefined)?.written}`);
      return brings;
    },
    warn: (problem) => warnings.push(problem),
    recovered: () => seen.push("recovered"),
    wait(_milliseconds, expire) {
      silence = expire;
      return () => {
        silence = undefined;
      };
    },
  });
  return {
    ...{ store: store!, place, seen, warnings },
    brings(what: typeof brings | Value) {
      brings = what && "written" in what ? { write: what, done: () => seen.push("is back") } : what;
    },
    /** Writes a value of this name. */
    write: (written: string) =>
      place.transact(
        (_, _mark, alone) => {
          seen.push(alone ? `makes ${written} alone` : `makes ${written}`);
          return { written, tokens: "secret" };
        },
        () => seen.push(`done ${written}`),
      ),
    /** Changes nothing. */
    look: () =>
      place.transact(
        (value) => void seen.push(`looks at ${(value as Value | undefined)?.written}`),
        () => seen.push("done looking"),
      ),
    read: () =>
      place.read(
        (value) => seen.push(`sees ${(value as Value).written}`),
        () => seen.push("insists"),
      ),
    silence: () => silence?.(),
    /** What has happened since the last call. */
    since: () => seen.splice(0),
  };
}

/** Storage has failed, and has been asked once whether it answers, at a moment that was none to return. */
export function inMemory() {
  const scene = setUp();
  scene.brings(undefined);
  scene.place.fallBackToMemory();
  scene.store.answers();
  scene.since();
  return scene;
}
