import type { Snapshot } from "tokentide";
import { useSession } from "tokentide/react";
import type { User } from "../../../shared/session";

const accountOf = ({ claims, refreshDueAt }: Snapshot<User>) => ({ name: claims?.name, id: claims?.sub, refreshDueAt });

export function Account() {
  const { name, id, refreshDueAt } = useSession(accountOf);
  return (
    <>
      <title>Account · Notes</title>
      <h1>Account</h1>
      <dl>
        <dt>Name</dt>
        <dd>{name}</dd>
        <dt>Id</dt>
        <dd>{id}</dd>
        <dt>Token renewed at</dt>
        <dd>{refreshDueAt && new Date(refreshDueAt).toLocaleTimeString()}</dd>
      </dl>
    </>
  );
}
