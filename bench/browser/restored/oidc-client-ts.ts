import { User, UserManager, WebStorageStateStore } from "oidc-client-ts";
import { expiryOf, type Restored, withBearer } from "./entry.js";

const make = () =>
  new UserManager({
    authority: "https://auth.example.test",
    client_id: "spa",
    redirect_uri: `${location.origin}/callback`,
    userStore: new WebStorageStateStore({ store: localStorage }),
  });

export const seed: Restored["seed"] = async (tokens) => {
  const { expires_in: _, ...kept } = tokens;
  const profile = { iss: "https://auth.example.test", aud: "spa", sub: "ada", iat: 0, exp: expiryOf(tokens) };
  await make().storeUser(new User({ ...kept, profile, expires_at: expiryOf(tokens) }));
};

export const start: Restored["start"] = async () => {
  const user = await make().getUser();
  return withBearer(user?.access_token);
};
