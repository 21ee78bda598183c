import { configOfWorker, serveWorker, workerEnvironment } from "./platform/worker-scope.js";
import { createKeeper, type KeeperOptions } from "./vault/keeper.js";

export type { KeeperOptions };

/**
 * Keeps the refresh tokens of `vault` in this worker. Call it once, in the first task of a worker of the app's own. `options` say where the
 * worker sends refresh tokens, and no message changes that.
 *
 * The file `tokentide/dist/vault-worker.js` is a worker as it is. It reads the options from its address, which `vault` makes.
 *
 * @throws {TypeError} when an option is missing, not a string, or unknown.
 */
export function keepTokens(options: KeeperOptions): void {
  try {
    serveWorker(createKeeper(options, workerEnvironment()).answer);
  } catch (error) {
    // The page would wait for a silent worker.
    serveWorker(async () => ({ failed: { code: "configuration", message: (error as Error).message } }));
    throw error;
  }
}

const config = configOfWorker(import.meta.url);
const clientId = config?.get("client_id");
if (config && clientId) {
  const read = (name: string) => config.get(name) ?? undefined;
  const parameters = read("parameters");
  keepTokens({
    clientId,
    issuer: read("issuer"),
    tokenEndpoint: read("token_endpoint"),
    scope: read("scope"),
    revocationEndpoint: read("revocation_endpoint"),
    ...(parameters && { parameters: JSON.parse(parameters) as Record<string, string> }),
  } as KeeperOptions);
}
