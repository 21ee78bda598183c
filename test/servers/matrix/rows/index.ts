import type { Row } from "../row.js";
import { backend } from "./backend.js";
import { better } from "./better-auth.js";
import { django } from "./django.js";
import { glewlwyd } from "./glewlwyd.js";
import { oidcProvider } from "./oidc-provider.js";

export const rows: readonly Row[] = [...oidcProvider, ...better, ...django, ...glewlwyd, ...backend];
