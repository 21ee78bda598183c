/** Hears that somebody is there: pointer, key, wheel, scrolling (also by script), or the page being looked at again. Returns its undo. */
export function pageActivity(listener: () => void): () => void {
  if (typeof document !== "object") return () => {};
  const options = { capture: true, passive: true };
  const seen = () => document.visibilityState === "visible" && listener();
  const heard = ["pointerdown", "pointermove", "keydown", "wheel", "scroll"];
  for (const type of heard) document.addEventListener(type, listener, options);
  document.addEventListener("visibilitychange", seen);
  return () => {
    for (const type of heard) document.removeEventListener(type, listener, options);
    document.removeEventListener("visibilitychange", seen);
  };
}
