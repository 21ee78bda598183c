/**
 * Calls the listener at each sign of a user: pointer, key, wheel, scrolling (also by script), and when the page becomes visible. Returns a
 * function that removes the listener.
 */
export function pageActivity(listener: () => void): () => void {
  if (typeof document !== "object") return () => {};
  const options = { capture: true, passive: true };
  const onVisibility = () => document.visibilityState === "visible" && listener();
  const inputs = ["pointerdown", "pointermove", "keydown", "wheel", "scroll"];
  for (const type of inputs) document.addEventListener(type, listener, options);
  document.addEventListener("visibilitychange", onVisibility);
  return () => {
    for (const type of inputs) document.removeEventListener(type, listener, options);
    document.removeEventListener("visibilitychange", onVisibility);
  };
}
