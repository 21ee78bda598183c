/** The element of that id; the page's HTML has it. */
export function element<E extends HTMLElement = HTMLElement>(id: string): E {
  const found = document.getElementById(id);
  if (!found) throw new Error(`There is no #${id} in the page.`);
  return found as E;
}

/** Leaves the text node alone when nothing changed, so that a screen reader does not repeat it. */
export function setText(target: HTMLElement, text: string): void {
  if (target.textContent !== text) target.textContent = text;
}

export function onClick(id: string, action: () => unknown): void {
  element(id).addEventListener("click", () => void action());
}
