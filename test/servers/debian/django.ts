import { pythonMissing, startPython } from "./python.js";

export const djangoMissing = () => pythonMissing("django-oauth-toolkit");

/** `grace`: seconds in which a used refresh token gets the same pair again. */
export async function startDjango({ lifetime, grace }: { lifetime: number; grace: number }) {
  const server = await startPython("django.py", lifetime, grace);
  const { url } = server;
  return {
    ...server,
    clientId: "spa",
    tokenPath: "/o/token/",
    apiPath: "/api/me",
    signIn: async () => (await (await fetch(`${url}/test/sign-in`)).json()) as { access_token: string; refresh_token: string },
    revoke: () => fetch(`${url}/test/revoke`),
    refresh: (token: string) =>
      fetch(`${url}/o/token/`, {
        method: "POST",
        body: new URLSearchParams({ grant_type: "refresh_token", client_id: "spa", refresh_token: token }),
      }),
  };
}
