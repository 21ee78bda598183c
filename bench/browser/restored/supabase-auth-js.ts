import { AuthClient } from "@supabase/auth-js";
import { expiryOf, type Restored, withBearer } from "./entry.js";

const storageKey = "supabase";

/** As a login leaves it. */
export const seed: Restored["seed"] = async (tokens) =>
  localStorage.setItem(storageKey, JSON.stringify({ ...tokens, expires_at: expiryOf(tokens), user: { id: "ada", aud: "authenticated" } }));

export const start: Restored["start"] = async () => {
  const client = new AuthClient({ url: "https://auth.example.test", storageKey });
  const { data } = await client.getSession();
  return withBearer(data.session?.access_token);
};
