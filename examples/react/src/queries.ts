import { QueryClient } from "@tanstack/react-query";
import { session } from "../../shared/session";

// After `user-changed`, the call would be sent again as the new user.
const retry = (failures: number, error: unknown) =>
  failures < 3 && (error as { code?: unknown }).code !== "user-changed" && session.getSnapshot().status === "signed-in";

export const queries = new QueryClient({ defaultOptions: { queries: { retry } } });

// What was loaded for one user is not for the next one.
session.on("signed-out", () => queries.clear());
session.on("user-changed", () => {
  queries.getMutationCache().clear();
  void queries.resetQueries();
});
