import { createPath, Navigate, NavLink, Outlet, useLocation } from "react-router";
import { SessionGuard, useClaims } from "tokentide/react";
import { session, type User } from "../../shared/session";

/** Around every page that is for somebody. */
export function Private() {
  const from = createPath(useLocation());
  return (
    <SessionGuard signedOut={<Navigate to="/login" state={{ from }} replace />}>
      <Header />
      <main>
        <Outlet />
      </main>
    </SessionGuard>
  );
}

function Header() {
  const user = useClaims<User>();
  return (
    <header>
      <nav>
        <NavLink to="/">Notes</NavLink>
        <NavLink to="/account">Account</NavLink>
      </nav>
      {user?.name}
      <button type="button" onClick={() => session.signOut()}>
        Sign out
      </button>
    </header>
  );
}
