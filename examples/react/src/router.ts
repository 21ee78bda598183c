import { createBrowserRouter, replace } from "react-router";
import { finishSignIn } from "../../shared/sign-in";
import { Account } from "./pages/account";
import { Login } from "./pages/login";
import { Notes } from "./pages/notes";
import { Private } from "./private";

export const router = createBrowserRouter([
  { path: "/login", Component: Login },
  // A loader runs once; an effect runs twice in StrictMode, and a code is good for one use.
  { path: "/callback", loader: async () => replace(await finishSignIn()), HydrateFallback: () => null, element: null },
  {
    Component: Private,
    children: [
      { path: "/", Component: Notes },
      { path: "/account", Component: Account },
    ],
  },
]);
