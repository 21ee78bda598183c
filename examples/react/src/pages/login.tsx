import { useState } from "react";
import { Navigate, useLocation, useSearchParams } from "react-router";
import { SessionGuard } from "tokentide/react";
import { signIn } from "../../../shared/sign-in";

/** The guard the other way round: somebody who is signed in, or has just done so in another tab, goes on. */
export function Login() {
  const from: string = useLocation().state?.from ?? "/";
  return (
    <SessionGuard signedOut={<Form from={from} />}>
      <Navigate to={from} replace />
    </SessionGuard>
  );
}

function Form({ from }: { from: string }) {
  const [parameters] = useSearchParams();
  const [failed, setFailed] = useState(parameters.has("failed"));
  return (
    <main className="login">
      <title>Sign in · Notes</title>
      <h1>Sign in</h1>
      <p>Your notes are yours alone.</p>
      <button type="button" className="main" onClick={() => signIn(from).catch(() => setFailed(true))}>
        Sign in
      </button>
      {failed && <p role="alert">That did not work. Please try again.</p>}
    </main>
  );
}
