/** Shares one answer between all calls with the same `about` until the answer has come. So a thousand calls share one wait. */
export function together<About, T>(ask: (about: About) => Promise<T>): (about: About) => Promise<T> {
  let last: { about: About; answer: Promise<T> } | undefined;
  return (about) => {
    if (last && last.about === about) return last.answer;
    const own = {
      about,
      answer: ask(about).finally(() => {
        if (last === own) last = undefined;
      }),
    };
    last = own;
    return own.answer;
  };
}
