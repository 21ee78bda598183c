import type { Environment, Store } from "../../../src/types/environment.js";
import type { Observer } from "../observer.js";

/** The store of one session, whose answers the observer hears of. `session` is its name in the ledger. */
export function sessionStore(openStore: Environment["openStore"], observer: Observer, session: () => string): Environment["openStore"] {
  return openStore && ((name) => watched(retrying(openStore(name)), observer, session));
}

/** A transaction that the browser broke off (of a page that stands still, say) is tried once more, as `indexedDbStore` does. */
const retrying = ({ transact, read, ...others }: Store): Store => ({
  ...others,
  transact: (change, done, fail) => transact(change, done, () => transact(change, done, fail)),
  read: (see, fail) => read(see, () => read(see, fail)),
});

/** A session that has given its storage up tries it again, and closes it if it is not to come back yet. */
function watched({ transact, read, close, ...others }: Store, observer: Observer, session: () => string): Store {
  let closings = 0;
  return {
    ...others,
    transact(change, done, fail) {
      const before = closings;
      const alone = observer.isAlone(session());
      const answered = () => {
        done();
        if (alone && closings === before) observer.comeBack(session());
      };
      transact(change, answered, fail);
    },
    // A session that has stepped down reads its own memory, so this one has not.
    read(see, fail) {
      const before = closings;
      const answered = (value: unknown, mark: unknown) => {
        see(value, mark);
        if (closings === before) observer.comeBack(session());
      };
      read(answered, fail);
    },
    close(leaving) {
      closings += 1;
      close(leaving);
    },
  };
}
