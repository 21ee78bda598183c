import type { Row } from "../row.js";
import { backend } from "./backend.js";
import { better } from "./better-auth.js";
import { django } from "./django.js";
import { fastify } from "./fastify.js";
import { flask } from "./flask.js";
import { glewlwyd } from "./glewlwyd.js";
import { nodeOauth } from "./node-oauth.js";
import { oidcProvider } from "./oidc-provider.js";
import { simplejwt } from "./simplejwt.js";

export const rows: readonly Row[] = [
  ...oidcProvider,
  ...nodeOauth,
  ...better,
  ...fastify,
  ...django,
  ...simplejwt,
  ...flask,
  ...glewlwyd,
  ...backend,
];
