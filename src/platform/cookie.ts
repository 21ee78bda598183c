/** Returns the value of a cookie that script can read, or undefined without one. It decodes the value, since frameworks encode theirs. */
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
