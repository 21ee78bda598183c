export { draw, make } from "../../src/devtools/dom.js";

/** The element of the page's HTML with this id. */
export function element<E extends Element = HTMLElement>(id: string): E {
  const found = document.getElementById(id);
  if (!found) throw new Error(`There is no #${id} in the page.`);
  return found as unknown as E;
}

/** Changes the text only when it differs, so that a screen reader does not read the same text again. */
export function setText(target: Element, text: string): void {
  if (target.textContent !== text) target.textContent = text;
}

export function onClick(id: string, action: () => unknown): void {
  element(id).addEventListener("click", () => void action());
}

export const inSeconds = (milliseconds: number): string => `${(milliseconds / 1000).toFixed(milliseconds < 9950 ? 1 : 0)}\u00a0s`;
/** `30 s`, `2 min`. For whole seconds. */
export const inWords = (milliseconds: number): string =>
  milliseconds < 120_000 ? `${milliseconds / 1000} s` : `${milliseconds / 60_000} min`;
export const pause = (milliseconds: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, milliseconds));
