import { byCode, cookie, dpop, oauth2, sliding, tokenPair } from "../../../src/index.js";

/** The names are strings, because a minifier renames functions. */
const functions = { byCode, cookie, dpop, oauth2, sliding, tokenPair };
type Functions = typeof functions;
type Options<Name extends keyof Functions> = NonNullable<Parameters<Functions[Name]>[0]>;

/** A call of a function of the package, as data. The page makes the call, and shows it as code. */
export interface Call<Result> {
  readonly name: keyof Functions;
  readonly options: object;
  readonly make: () => Result;
}

export function call<Name extends keyof Functions>(name: Name, options: Options<Name>): Call<ReturnType<Functions[Name]>> {
  const named = functions[name] as (options: Options<Name>) => ReturnType<Functions[Name]>;
  return { name, options, make: () => named(options) };
}

export const isCall = (value: unknown): value is Call<unknown> => typeof value === "object" && value !== null && "make" in value;

const WIDTH = 80;

/** `key: value,` as in an app's source. A call that is too long for one line has one line for each option. */
export function linesOf(key: string, value: unknown): string[] {
  const line = `${key}: ${print(value)},`;
  if (line.length <= WIDTH || !isCall(value)) return [line];
  const options = Object.entries(value.options).map(([option, given]) => `  ${option}: ${print(given)},`);
  return [`${key}: ${value.name}({`, ...options, "}),"];
}

function print(value: unknown): string {
  if (isCall(value)) return `${value.name}(${print(value.options)})`;
  if (typeof value === "number") return value.toLocaleString("en").replaceAll(",", "_");
  if (Array.isArray(value)) return `[${value.map(print).join(", ")}]`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  const members = Object.entries(value).map(([key, member]) => `${key}: ${print(member)}`);
  return `{ ${members.join(", ")} }`;
}
