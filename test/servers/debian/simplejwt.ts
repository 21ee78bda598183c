import { pythonMissing, startPython } from "./python.js";

export const simplejwtMissing = () => pythonMissing("djangorestframework-simplejwt");

export async function startSimplejwt({ lifetime }: { lifetime: number }) {
  const server = await startPython("simplejwt.py", lifetime);
  const { url } = server;
  const post = (path: string, body: unknown) =>
    fetch(url + path, { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) });
  return {
    ...server,
    refreshPath: "/api/token/refresh/",
    /** Lists what it rotates, so that an administrator can revoke it. */
    listingPath: "/api/token/refresh/listed/",
    apiPath: "/api/me",
    signIn: async () =>
      (await (await post("/api/token/", { username: "ada", password: "lovelace" })).json()) as { access: string; refresh: string },
    refresh: (path: string, refresh: string) => post(path, { refresh }),
    revoke: () => fetch(`${url}/test/revoke`),
    setActive: (active: boolean) => fetch(`${url}/test/user?active=${active}`),
  };
}
