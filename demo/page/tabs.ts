const prefix = "tokentide-demo-tab:";

/**
 * Gives this tab the lowest number that is free. It is a lock, held as long as the tab lives: the browser frees it even after a crash.
 * Resolves to the number.
 */
export function takeTabNumber(candidate = 1): Promise<number> {
  return new Promise((resolve) => {
    void navigator.locks.request(prefix + candidate, { ifAvailable: true }, (lock) => {
      if (!lock) {
        resolve(takeTabNumber(candidate + 1));
        return;
      }
      resolve(candidate);
      return new Promise<never>(() => {});
    });
  });
}

export async function countTabs(): Promise<number> {
  const { held = [] } = await navigator.locks.query();
  return held.filter((lock) => lock.name?.startsWith(prefix)).length;
}
