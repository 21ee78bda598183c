import { choose, config, graceOf, onChosen } from "../config.js";
import { element, make, onClick, setText } from "../dom.js";
import { server } from "../server.js";
import { codeOf } from "../session/code.js";
import { session, start } from "../session/current.js";
import { wayOf, ways } from "../session/ways.js";
import { startSignedIn } from "../sign-in.js";
import { showProblem } from "./state.js";
import { lookAtServer, onTruth } from "./truth.js";

/** Seconds, from 5 s to 5 min. */
const LIFETIMES = [5, 10, 20, 30, 60, 120, 300];
const inWords = (seconds: number) => (seconds < 120 ? `${seconds} s` : `${seconds / 60} min`);

const whoeverIsHere = () => session().getSnapshot().claims?.sub ?? "ada";
const complain = (error: Error) => showProblem(error.message);

/** The way of renewing, the life of a token, the server's patience, and the code of all that. */
export function showSetup(): void {
  const choices = element("ways");
  for (const [name, { title, summary }] of Object.entries(ways)) {
    const radio = make("input", { type: "radio", name: "way", value: name });
    choices.append(make("label", { title: summary }, radio, make("span", {}, title)));
    radio.addEventListener("change", () => {
      const subject = whoeverIsHere();
      choose({ way: name });
      show();
      startSignedIn(subject).catch(complain);
    });
  }
  const lifetime = element<HTMLInputElement>("lifetime");
  lifetime.max = String(LIFETIMES.length - 1);
  lifetime.addEventListener("input", () => setText(element("lifetime-value"), inWords(LIFETIMES[lifetime.valueAsNumber] ?? 10)));
  lifetime.addEventListener("change", async () => {
    await server.settings({ accessTokenSeconds: LIFETIMES[lifetime.valueAsNumber] ?? 10 }).catch(complain);
    // The next token is the first that lives as long.
    await session()
      .refresh()
      .catch(() => {});
  });
  const grace = element<HTMLSelectElement>("grace");
  grace.addEventListener("change", async () => {
    const seconds = Number(grace.value);
    await server.settings({ reuseGraceSeconds: seconds }).catch(complain);
    choose({ grace: seconds });
    start(config());
    show();
  });
  onTruth(({ settings }) => {
    // Another tab may have chosen it.
    const index = LIFETIMES.indexOf(settings.accessTokenSeconds);
    if (document.activeElement !== lifetime && index >= 0) lifetime.value = String(index);
    lifetime.setAttribute("aria-valuetext", inWords(settings.accessTokenSeconds));
    setText(element("lifetime-value"), inWords(LIFETIMES[lifetime.valueAsNumber] ?? settings.accessTokenSeconds));
  });
  onChosen((chosen) => {
    start(chosen);
    show(chosen);
    void lookAtServer().catch(() => {});
  });
  onClick("copy", copy);
  show();
}

function show(chosen = config()): void {
  for (const radio of document.querySelectorAll<HTMLInputElement>("[name=way]")) radio.checked = radio.value === chosen.way;
  const grace = element<HTMLSelectElement>("grace");
  grace.value = String(graceOf(chosen));
  grace.disabled = !wayOf(chosen.way).grace;
  setText(element("way-summary"), wayOf(chosen.way).summary);
  setText(element("code"), codeOf(chosen));
}

async function copy(): Promise<void> {
  const said = element("copied");
  try {
    await navigator.clipboard.writeText(codeOf(config()));
    setText(said, "Copied.");
  } catch {
    // Not allowed here: selected, it can be copied by hand.
    getSelection()?.selectAllChildren(element("code"));
    setText(said, "Selected: copy it with the keyboard.");
  }
  setTimeout(() => setText(said, ""), 4000);
}
