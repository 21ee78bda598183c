import { djangoMissing, startDjango } from "../../debian/django.js";
import type { Row } from "../row.js";
import { refreshGrant } from "./refresh-grant.js";

const row = (way: string, grace: number, expects: Row["expects"]): Row => ({
  server: "django-oauth-toolkit 1.7",
  way: `refresh grant, opaque, ${way}`,
  lifetime: 60,
  start: async (lifetime) =>
    refreshGrant(await startDjango({ lifetime, grace }), {
      classify: ({ response }) => (response?.status === 403 ? "refresh" : "ok"),
      reuseGrace: grace * 1000,
    }),
  debian: true,
  missing: djangoMissing,
  ...(expects && { expects }),
});

export const django: Row[] = [row("rotation", 0, { thief: "goes on" }), row("grace period", 120, { robbed: "goes on", thief: "goes on" })];
