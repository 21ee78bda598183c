import { describe, expect, it } from "vitest";
import { addressOf, callOf, discard, isOneShot } from "../../src/http/call.js";

const ADDRESS = "https://api.example.test/notes?page=1#top";
const url = ADDRESS;

/** What the platform itself would send. */
async function sent(input: RequestInfo | URL, init?: RequestInit) {
  const request = new Request(input, init);
  const { method, headers, url: address, credentials, keepalive, redirect } = request;
  const boundary = /boundary=(.*)$/.exec(headers.get("content-type") ?? "")?.[1] ?? "none";
  const body = new TextDecoder("latin1").decode(await request.arrayBuffer());
  return {
    ...{ method, address, credentials, keepalive, redirect },
    headers: [...headers].map(([name, value]) => [name, value.replace(boundary, "BOUNDARY")]),
    body: body.replaceAll(boundary, "BOUNDARY"),
  };
}

const form = () => {
  const data = new FormData();
  data.append("a", "1");
  data.append("a", "2");
  data.append("file", new File(["\u0000binary"], "ü.bin", { type: "application/octet-stream" }));
  return data;
};

class Init {
  readonly #method: string;
  constructor(method: string) {
    this.#method = method;
  }
  get method() {
    return this.#method;
  }
  get headers() {
    return { "x-a": "1" };
  }
  get body() {
    return "from a getter";
  }
}

describe("R47 members of init are read as the platform reads them", () => {
  const inits: Record<string, () => RequestInit> = {
    nothing: () => ({}),
    "own members": () => ({ method: "PUT", headers: { "x-a": "1" }, body: "x", credentials: "omit", keepalive: true, redirect: "error" }),
    getters: () => ({
      get method() {
        return "POST";
      },
      get body() {
        return "x";
      },
    }),
    "an instance of a class": () => new Init("POST"),
    "a prototype": () => Object.create({ method: "DELETE", headers: [["x-a", "1"]] }) as RequestInit,
    "no prototype": () => Object.assign(Object.create(null), { method: "DELETE" }) as RequestInit,
    "a Request with a body": () => new Request("https://elsewhere.test/", { method: "POST", body: "whole", headers: { "x-a": "1" } }),
    "a Request without one": () => new Request("https://elsewhere.test/", { method: "DELETE", credentials: "omit" }),
    "Headers that are iterated once": () => ({ headers: [["x-a", "1"] as [string, string]].values() as unknown as HeadersInit }),
    FormData: () => ({ method: "POST", body: form() }),
    URLSearchParams: () => ({ method: "POST", body: new URLSearchParams("a=1&a=2&b=%20") }),
    "a Uint8Array that is a part of a buffer": () => ({ method: "POST", body: new Uint8Array([0, 1, 2, 255]).subarray(1, 3) }),
    "a DataView": () => ({ method: "POST", body: new DataView(new Uint8Array([9, 8, 7]).buffer, 1, 1) }),
    "an ArrayBuffer": () => ({ method: "POST", body: new Uint8Array([9, 8]).buffer }),
    "a Blob": () => ({ method: "POST", body: new Blob(["x"], { type: "text/x" }) }),
    "an empty string": () => ({ method: "POST", body: "" }),
  };

  it.each(Object.entries(inits))("%s", async (_, make) => {
    const { input, init } = callOf(undefined, url, make(), 0);
    const again = callOf(undefined, url, make(), 0);
    // A Request can be read once; another one is made of the same.
    const [one, two] = [await sent(input, init), await sent(again.input, again.init)];
    expect(one).toEqual(await sent(ADDRESS, make()));
    expect(two).toEqual(one);
  });

  it.each(["next", "dispatcher", "cf"])("an own member that the platform does not know goes along: %s", (name) => {
    expect(callOf(undefined, url, { [name]: { revalidate: 60 } } as RequestInit, 0).init).toEqual({ [name]: { revalidate: 60 } });
  });

  it("signal: null takes the signal of a Request away; undefined leaves it", () => {
    const { signal } = new AbortController();
    const request = new Request(ADDRESS, { signal });
    expect(callOf(request, url, { signal: null }, 0).signal).toBeUndefined();
    expect(callOf(request, url, {}, 0).signal).toBe(request.signal);
    expect(callOf(undefined, url, { signal }, 0).signal).toBe(signal);
  });
});

describe("R46 what the caller changes afterwards changes nothing", () => {
  it("the init, its Headers, a form, parameters and buffers", async () => {
    const headers = new Headers({ "x-a": "1" });
    const plain = { "x-a": "1" };
    const bodies = [form(), new URLSearchParams("a=1"), new Uint8Array([1, 2]), new Uint8Array([1, 2]).buffer];
    for (const body of bodies) {
      for (const given of [headers, plain, [["x-a", "1"]] as [string, string][]]) {
        const init = { method: "POST", body, headers: given };
        const expected = await sent(ADDRESS, init);
        const call = callOf(undefined, url, init, 0);
        if (body instanceof FormData || body instanceof URLSearchParams) body.append("more", "x");
        else new Uint8Array(body instanceof ArrayBuffer ? body : body.buffer).fill(9);
        if (given instanceof Headers) given.set("x-a", "2");
        else if (Array.isArray(given)) given.push(["x-b", "2"]);
        else given["x-a"] = "2";
        Object.assign(init, { method: "DELETE", body: undefined, credentials: "omit" });
        const found = await sent(call.input, call.init);
        expect(found.body.length).toBeGreaterThan(1);
        expect(found).toEqual(expected);
        if (body instanceof FormData || body instanceof URLSearchParams) body.delete("more");
        else new Uint8Array(body instanceof ArrayBuffer ? body : body.buffer).fill(1);
        headers.set("x-a", "1");
        plain["x-a"] = "1";
      }
    }
  });

  it("strings and Blobs are handed on as they are", () => {
    for (const body of ["text", new Blob(["x"])]) expect(callOf(undefined, url, { method: "POST", body }, 0).init.body).toBe(body);
  });

  it("the headers of a Request, which can be changed", () => {
    const request = new Request(ADDRESS, { headers: { "x-a": "1" } });
    const call = callOf(request, url, undefined, 0);
    request.headers.set("x-a", "2");
    expect(call.init.headers?.get("x-a")).toBe("1");
  });

  it("keeps of the address what it is known by: origin and path", () => {
    expect(callOf(undefined, url, undefined, 7)).toMatchObject({ input: ADDRESS, url: ADDRESS, left: 7 });
    expect(addressOf(callOf(undefined, url, undefined, 7))).toBe("https://api.example.test/notes");
  });
});

describe("bodies", () => {
  it("a stream can be sent once, in whatever shape", () => {
    const once = [new ReadableStream(), (async function* () {})()];
    const often = ["x", "", new Blob(), new FormData(), new URLSearchParams(), new Uint8Array(), null, undefined];
    expect(once.map((body) => isOneShot(body as BodyInit))).toEqual([true, true]);
    expect(often.map(isOneShot)).toEqual(often.map(() => false));
  });

  it("R51 letting go of something that is only like a Response throws nothing", () => {
    for (const body of [undefined, null, {}, { cancel: () => Promise.reject(new Error("locked")) }, { cancel() {} }])
      expect(() => discard({ body } as unknown as Response)).not.toThrow();
  });
});
