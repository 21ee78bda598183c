// By hand, without a library: a token is read from IndexedDB.
import { type Restored, withBearer } from "./entry.js";

const done = <T>(request: IDBRequest<T>): Promise<T> =>
  new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });

function open(): Promise<IDBDatabase> {
  const opening = indexedDB.open("restored-by-hand", 1);
  opening.onupgradeneeded = () => opening.result.createObjectStore("tokens");
  return done(opening);
}

export const seed: Restored["seed"] = async ({ access_token }) => {
  const database = await open();
  const store = database.transaction("tokens", "readwrite").objectStore("tokens");
  await done(store.put(access_token, "access"));
  database.close();
};

export const start: Restored["start"] = async () => {
  const database = await open();
  return withBearer(await done(database.transaction("tokens").objectStore("tokens").get("access")));
};
