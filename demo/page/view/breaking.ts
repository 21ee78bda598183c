import { api } from "../break/api.js";
import { device } from "../break/device.js";
import type { Experiment } from "../break/experiment.js";
import { sessions } from "../break/session.js";
import { tokenEndpoint } from "../break/token-endpoint.js";
import { element, make, setText } from "../dom.js";
import { standalone } from "../place.js";
import { eachSession, session } from "../session/current.js";

const groups: [string, Experiment[]][] = [
  ["Token endpoint", tokenEndpoint],
  ["API", api],
  ["This device", device],
  ["The session", sessions],
];

const ended = { good: "As it should: ", bad: "Not as it should: " };

/** Shows a card for each experiment, with the expected and the real outcome. One experiment runs at a time, so that no other disturbs it. */
export function showBreaking(): void {
  const buttons: HTMLButtonElement[] = [];
  let running = false;
  const enable = () => {
    const usable = !running && session().getSnapshot().status === "signed-in";
    // A disabled button would lose the focus of the keyboard.
    for (const button of buttons) button.setAttribute("aria-disabled", String(!usable));
  };

  function card(group: string, experiment: Experiment): HTMLElement {
    const { id, title, inPage } = experiment;
    const button = make("button", { type: "button", id: `break-${id}`, "aria-describedby": `should-${id}` }, title);
    const should = make("p", { id: `should-${id}`, class: "should" });
    const did = make("p", { id: `did-${id}`, class: "did", role: "status" });
    const item = make(
      "li",
      { class: "card" },
      make("p", { class: "group" }, group),
      button,
      should,
      ...(standalone && inPage ? [make("p", { class: "in-page" }, inPage)] : []),
      did,
    );
    const explain = () => setText(should, experiment.should());
    eachSession(explain);
    buttons.push(button);
    button.addEventListener("click", async () => {
      if (button.getAttribute("aria-disabled") === "true") return;
      explain();
      running = true;
      enable();
      item.dataset.tone = "running";
      setText(did, "Watching …");
      try {
        const { tone, text } = await experiment.run();
        item.dataset.tone = tone;
        did.replaceChildren(make("b", {}, ended[tone]), text);
      } catch (error) {
        item.dataset.tone = "bad";
        setText(did, `It could not be tried: ${(error as Error).message}`);
      }
      running = false;
      enable();
    });
    return item;
  }

  element("experiments").append(...groups.flatMap(([title, experiments]) => experiments.map((experiment) => card(title, experiment))));
  eachSession((session) => {
    session.subscribe(enable);
    enable();
  });
}
