import { pythonMissing, startPython } from "./python.js";

export const flaskMissing = () => pythonMissing("flask-jwt-extended");

export async function startFlask({ lifetime }: { lifetime: number }) {
  const server = await startPython("flask_jwt.py", lifetime, "only the tests have it");
  const { url } = server;
  return {
    ...server,
    apiPath: "/me",
    signIn: async () => (await (await fetch(`${url}/login`, { method: "POST" })).json()) as { access_token: string; refresh_token: string },
    refresh: (path: string, token: string) => fetch(url + path, { method: "POST", headers: { authorization: `Bearer ${token}` } }),
    revoke: () => fetch(`${url}/test/revoke`, { method: "POST" }),
    changeKey: () => server.restart(lifetime, "another key"),
  };
}
