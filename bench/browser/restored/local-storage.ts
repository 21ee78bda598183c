// By hand, without a library: a token is read from localStorage.
import { type Restored, withBearer } from "./entry.js";

export const seed: Restored["seed"] = async ({ access_token }) => localStorage.setItem("by-hand", access_token);

export const start: Restored["start"] = async () => withBearer(localStorage.getItem("by-hand") ?? undefined);
