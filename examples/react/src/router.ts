import { createBrowserRouter, replace } from "react-router";
import { Account } from "./pages/account";
import { Login } from "./pages/login";
import { Notes } from "./pages/notes";
import { Private } from "./private";
import { finishSignIn } from "./sign-in";

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
