const prefix = "tokentide-demo-tab:";

/**
 * Gives this tab the lowest free number. The number is a lock, so that the browser frees it even after a crash. A page that the user leaves
 * releases its lock, because the page may stay alive in the back/forward cache.
 */
export function numberTab(show: (number: number) => void): void {
  let release = () => {};
  const take = async () => {
    const [number, letGo] = await takeLowest();
    release = letGo;
    show(number);
  };
  addEventListener("pagehide", () => release());
  addEventListener("pageshow", ({ persisted }) => persisted && void take());
  void take();
}

function takeLowest(candidate = 1): Promise<[number: number, release: () => void]> {
  return new Promise((resolve) => {
    void navigator.locks.request(prefix + candidate, { ifAvailable: true }, (lock) => {
      if (!lock) {
        resolve(takeLowest(candidate + 1));
        return;
      }
      return new Promise<void>((release) => resolve([candidate, release]));
    });
  });
}

/** The numbers of the open tabs. */
export async function openNumbers(): Promise<Set<number>> {
  const { held = [] } = await navigator.locks.query();
  return new Set(held.filter(({ name }) => name?.startsWith(prefix)).map(({ name }) => Number(name?.slice(prefix.length))));
}
