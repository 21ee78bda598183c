// The servers that come with Debian: `node scripts/debian-servers.js` installs them, as `.ci/run` does.
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { root } from "./steps.js";

/** Git-ignored. glewlwyd's own installation wants a database set up by hand, so it is unpacked here instead. */
export const folder = join(root, ".servers");
const glewlwyd = join(folder, "usr/bin/glewlwyd");

/** Those in Python. */
const python = [
  { name: "django-oauth-toolkit", module: "oauth2_provider", package: "python3-django-oauth-toolkit" },
  { name: "djangorestframework-simplejwt", module: "rest_framework_simplejwt", package: "python3-djangorestframework-simplejwt" },
  { name: "flask-jwt-extended", module: "flask_jwt_extended", package: "python3-python-flask-jwt-extended" },
];
const libraries = [
  ...["libcbor0.8", "libconfig9", "libgnutls30", "libhoel1.4", "libiddawc1.1", "libjansson4", "libldap-2.5-0", "liboath0"],
  ...["liborcania2.3", "librhonabwy1.1", "libulfius2.7", "libyder2.0"],
];

/**
 * @param {string} command
 * @param {string[]} args
 * @param {import("node:child_process").SpawnSyncOptions} [options]
 */
const run = (command, args, options = {}) => spawnSync(command, args, { stdio: "ignore", ...options }).status === 0;

export const missingPython = () => python.filter(({ module }) => !run("/usr/bin/python3", ["-c", `import ${module}`]));

/** What is not installed. */
export const missingServers = () => [...missingPython().map(({ name }) => name), ...(existsSync(glewlwyd) ? [] : ["glewlwyd"])];

function install() {
  const apt = (/** @type {string[]} */ ...args) => {
    const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
    return run("apt-get", ["-qq", "-y", "--no-install-recommends", ...args], { stdio: ["ignore", "ignore", "inherit"], env });
  };
  const wanted = [...python.map((server) => server.package), ...libraries];
  // The index may be too old for what the mirror still has.
  if (!apt("install", ...wanted)) apt("update") && apt("install", ...wanted);
  mkdirSync(folder, { recursive: true });
  const fetch = () => run("apt-get", ["-qq", "download", "glewlwyd"], { cwd: folder, stdio: ["ignore", "ignore", "inherit"] });
  if (!existsSync(glewlwyd) && (fetch() || (apt("update") && fetch()))) {
    for (const file of readdirSync(folder).filter((name) => name.endsWith(".deb"))) run("dpkg", ["-x", file, "."], { cwd: folder });
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  if (missingServers().length > 0) install();
  const missing = missingServers();
  if (missing.length > 0) console.log(`could not be installed: ${missing.join(", ")}`);
  process.exitCode = missing.length > 0 ? 1 : 0;
}
