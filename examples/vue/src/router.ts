import { createRouter, createWebHistory } from "vue-router";
import { session } from "../../shared/session";
import { finishSignIn } from "../../shared/sign-in";
import AccountPage from "./pages/AccountPage.vue";
import LoginPage from "./pages/LoginPage.vue";
import NotesPage from "./pages/NotesPage.vue";

declare module "vue-router" {
  interface RouteMeta {
    /** Also for nobody. */
    public?: boolean;
    title?: string;
  }
}

export const router = createRouter({
  history: createWebHistory(),
  routes: [
    { path: "/login", name: "login", component: LoginPage, meta: { public: true, title: "Sign in" } },
    { path: "/callback", component: () => null, beforeEnter: finishSignIn, meta: { public: true } },
    { path: "/", component: NotesPage },
    { path: "/account", component: AccountPage, meta: { title: "Account" } },
  ],
});

/** Waits for a status other than `restoring`. While storage is slow, `session.ready` resolves earlier. */
const restored = () =>
  new Promise<void>((resolve) => {
    const stop = session.subscribe(check);
    function check() {
      if (session.getSnapshot().status === "restoring") return;
      stop();
      resolve();
    }
    check();
  });

router.beforeEach(async ({ name, meta, query, fullPath }) => {
  await restored();
  const signedIn = session.getSnapshot().status === "signed-in";
  if (!signedIn && !meta.public) return { name: "login", query: { from: fullPath }, replace: true };
  if (signedIn && name === "login") return { path: String(query.from ?? "/"), replace: true };
  return true;
});
router.afterEach(({ meta }) => {
  document.title = meta.title ? `${meta.title} · Notes` : "Notes";
});

/** Asks the guard again about where the user is: this tab, or another one, has signed in or out. */
function visitAgain() {
  const { matched, path, query } = router.currentRoute.value;
  if (matched.length > 0) void router.replace({ path, query, force: true });
}
session.on("signed-in", visitAgain);
session.on("signed-out", visitAgain);
