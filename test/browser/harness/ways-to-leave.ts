import { setTimeout as sleep } from "node:timers/promises";
import type { Browser, Tab } from "./browser.js";
import type { Site } from "./site.js";

/** One sign-out: what the hooks of a way may use. */
export interface Round {
  readonly site: Site;
  /** Opens a tab that is closed at the end of the round. */
  newTab(url: string): Promise<Tab>;
}

/** How a page signs out and is gone at once. */
export interface Way {
  readonly name: string;
  /** For `npm test`, which takes the quickest. */
  readonly quick?: true;
  /** Says why the driver cannot do it, if it cannot. */
  impossible?(browser: Browser): string | false;
  /** Opens the app's page, where that is not an ordinary tab. */
  open?(round: Round): Promise<Tab>;
  /** Gets ready for the sign-out, in the page that is signed in and around it. */
  prepare?(tab: Tab, round: Round): Promise<void>;
  /** Where `leave` goes, if it is not the next page itself. */
  destination?(site: Site): string;
  /** In the page: signs out, and leaves for the destination. */
  readonly leave: (next: string) => void | Promise<void>;
  /** What the driver does while `leave` runs. `left`: it has returned, or its page has gone. */
  meanwhile?(tab: Tab, round: Round, left: Promise<void>): Promise<void>;
  /** The page's tab ends with it, so that the next page needs another one. */
  readonly ends?: true;
}

/** The query by which the next page is told from the page that leaves. */
export const NEXT = "?next";

/** The database of the way that writes 40 MB. */
export const PHOTOS = "photos";

/** In the page: a connection that `prepare` has opened for `leave`. */
declare global {
  var connection: IDBDatabase;
}

const elsewhere = ({ site, newTab }: Round) => newTab(`${site.elsewhere}?for=good`);

export const ways: readonly Way[] = [
  {
    name: "a click on a link whose listener calls signOut()",
    quick: true,
    leave: (next) => {
      const link = Object.assign(document.createElement("a"), { href: next, textContent: "sign out" });
      link.addEventListener("click", () => void app.session.signOut());
      document.body.append(link);
      link.click();
    },
  },
  {
    name: "location.assign() behind a signOut() that nobody awaits",
    leave: (next) => {
      void app.session.signOut();
      location.assign(next);
    },
  },
  {
    name: "location.assign() after a signOut() that was awaited",
    leave: async (next) => {
      await app.session.signOut();
      location.assign(next);
    },
  },
  {
    name: "window.close()",
    async open(round) {
      const opened = await (await elsewhere(round)).duplicate();
      await opened.goto(round.site.address());
      return opened;
    },
    leave: () => {
      void app.session.signOut();
      window.close();
    },
    ends: true,
  },
  {
    name: "location.assign() after two seconds in which the page is busy",
    leave: (next) => {
      void app.session.signOut();
      for (const end = performance.now() + 2000; performance.now() < end; );
      location.assign(next);
    },
  },
  {
    name: "a crash while the page is busy",
    impossible: ({ survivesCrash }) => !survivesCrash && "its driver ends with the page that crashes",
    leave: () => {
      void app.session.signOut();
      navigator.sendBeacon("/report", "{}");
      // Longer than it takes to find its process.
      for (const end = performance.now() + 10_000; performance.now() < end; );
    },
    async meanwhile(tab, { site: { reports } }) {
      while (reports.length === 0) await sleep(20);
      reports.length = 0;
      await tab.crash(true);
    },
    ends: true,
  },
  {
    name: "the user closes the tab",
    leave: () => void app.session.signOut(),
    async meanwhile(tab, _round, left) {
      await left;
      await tab.close();
    },
    ends: true,
  },
  {
    name: "location.assign() while 40 MB are written to another database",
    async prepare(tab) {
      await tab.run(async (name) => {
        await new Promise((resolve, reject) => {
          const request = indexedDB.open(name, 1);
          request.onupgradeneeded = () => request.result.createObjectStore("pictures");
          request.onerror = reject;
          request.onsuccess = () => resolve(Object.assign(globalThis, { connection: request.result }));
        });
      }, PHOTOS);
    },
    leave: (next) => {
      const transaction = connection.transaction("pictures", "readwrite");
      const picture = new Uint8Array(1 << 20);
      for (let at = 0; at < picture.length; at += 1 << 16) crypto.getRandomValues(picture.subarray(at, at + (1 << 16)));
      for (let count = 0; count < 40; count++) transaction.objectStore("pictures").put(picture, count);
      transaction.commit();
      void app.session.signOut();
      location.assign(next);
    },
  },
  {
    name: "location.assign() behind 300 transactions of the page in the same database",
    async prepare(tab) {
      await tab.run(openLedger);
    },
    leave: (next) => {
      for (let count = 0; count < 300; count++) {
        const transaction = connection.transaction("ledger", "readwrite");
        for (let gets = 0; gets < 20; gets++) transaction.objectStore("ledger").get(0);
        // Without `commit`, WebKit keeps the transactions of a page in its back/forward cache open for ever, and all others wait.
        transaction.commit();
      }
      void app.session.signOut();
      location.assign(next);
    },
  },
  {
    name: "location.assign() while another page keeps the same database busy",
    async prepare(_tab, round) {
      const other = await elsewhere(round);
      await other.run(openLedger);
      await other.run(async () => {
        const end = performance.now() + 3000;
        const keepBusy = () => {
          if (performance.now() > end) return;
          const transaction = connection.transaction("ledger", "readwrite");
          for (let gets = 0; gets < 50; gets++) transaction.objectStore("ledger").get(0);
          transaction.oncomplete = keepBusy;
        };
        for (let line = 0; line < 30; line++) keepBusy();
      });
    },
    leave: (next) => {
      void app.session.signOut();
      location.assign(next);
    },
  },
  {
    name: "a listener of `pagehide` that calls signOut()",
    quick: true,
    leave: (next) => {
      addEventListener("pagehide", () => void app.session.signOut());
      location.assign(next);
    },
  },
  {
    name: "location.assign() in the task that makes the session, which has no connection yet",
    destination: ({ address }) => address("?at-once", { leavesFor: address(NEXT) }),
    leave: (destination) => location.assign(destination),
  },
];

/** In the page. */
async function openLedger(): Promise<void> {
  const [database] = await indexedDB.databases();
  await new Promise((resolve, reject) => {
    const request = indexedDB.open(database?.name ?? "");
    request.onerror = reject;
    request.onsuccess = () => resolve(Object.assign(globalThis, { connection: request.result }));
  });
}
