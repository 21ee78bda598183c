import type { Session, SessionOptions } from "../../../src/types/index.js";
import type { Device } from "../device.js";
import type { Gate } from "../gate.js";

/** A server that runs, and a client of it. */
export interface Setting {
  readonly device: Device;
  readonly gate: Gate;
  readonly options: Omit<SessionOptions, "environment">;
  /** Something that wants the access token. */
  readonly api: string;
  /** A login. Resolves with what it hands to `session.signIn`. */
  signIn(): Promise<Parameters<Session["signIn"]>>;
  /** As an administrator would. */
  revoke(): Promise<unknown>;
  /** Ends the server, and starts it again with what it had stored. */
  restart(): Promise<void>;
  /** Somebody who read what the client renews with renews first. Resolves with a way to do it again with what he got, or null when refused. */
  steal(): Promise<Thief | null>;
  close(): Promise<void>;
}

/** Whether his next renewal works. */
export type Thief = () => Promise<boolean>;

/** `renew` gives what the next renewal has to present, or null when it was refused. */
export async function theft<Loot>(renew: (loot: Loot) => Promise<Loot | null>, stolen: Loot): Promise<Thief | null> {
  const got = await renew(stolen);
  return got === null ? null : async () => (await renew(got)) !== null;
}

/** One line of the table: a server, and a way of renewing on it. */
export interface Row {
  readonly server: string;
  readonly way: string;
  /** Seconds that an access token lives there. */
  readonly lifetime: number;
  readonly start: (lifetime: number) => Promise<Setting>;
  /** After its last case, where its cases share something. */
  readonly finish?: () => Promise<void>;
  /** Where this row goes another way, what becomes of it. */
  readonly expects?: Partial<Expectations>;
  /** Why a case is left out. */
  readonly without?: Partial<Record<CaseName, string>>;
  /** Comes with Debian, not with npm. */
  readonly debian?: boolean;
  /** What is not installed on this machine, and how to get it. */
  readonly missing?: () => string | undefined;
}

export interface Expectations {
  /** After an expiry while offline. @default "goes on" */
  offline: "goes on" | "ends";
  /** Whether the server gives a thief anything for what he has. @default "works" */
  theft: "works" | "is refused";
  /** What becomes of a thief when the client presents the used value. @default "ends" */
  thief: "ends" | "goes on";
  /** What becomes of the client when a thief was first. @default "ends" */
  robbed: "ends" | "goes on";
}

export const CASES = [
  "sign in",
  "20 rotations",
  "expiry while offline",
  "reuse by an attacker",
  "revocation by an admin",
  "server restart",
  "503",
  "slow answer",
  "clock 1 h off",
] as const;

export type CaseName = (typeof CASES)[number];
