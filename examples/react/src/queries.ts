import { QueryClient } from "@tanstack/react-query";
import { session } from "./session";

const retry = (failures: number) => failures < 3 && session.getSnapshot().status === "signed-in";

export const queries = new QueryClient({ defaultOptions: { queries: { retry } } });

// What was loaded for one user is not for the next one.
session.on("signed-out", () => queries.clear());
session.on("user-changed", () => {
  queries.getMutationCache().clear();
  void queries.resetQueries();
});
