/** The value of a cookie that script can read; undefined where there is none. Decoded, since frameworks encode what they put there. */
export function readCookie(name: string): string | undefined {
  const cookies = (globalThis as { document?: { cookie: string } }).document?.cookie ?? "";
  const found = cookies.split("; ").find((cookie) => cookie.startsWith(`${name}=`));
  const value = found?.slice(name.length + 1);
  try {
    return value && decodeURIComponent(value);
  } catch {
    return value;
  }
}
