import { choose, config, graceOf, onChosen } from "../config.js";
import { element, inWords, make, onClick, setText } from "../dom.js";
import { server } from "../server.js";
import { codeOf } from "../session/code.js";
import { session, start } from "../session/current.js";
import { wayOf, ways } from "../session/ways.js";
import { startSignedIn } from "../sign-in.js";
import { showProblem } from "./state.js";
import { lookAtServer, onTruth } from "./truth.js";

/** The lifetimes that the visitor can choose, in seconds. */
const LIFETIMES = [5, 10, 20, 30, 60, 120, 300];
const lifeInWords = (seconds: number) => inWords(seconds * 1000);

const whoeverIsHere = () => session().getSnapshot().claims?.sub ?? "ada";
const complain = (error: Error) => showProblem(error.message);

/** Shows the choices: the way of renewing, the lifetime of a token and the grace period. Shows their code. */
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
  lifetime.addEventListener("input", () => setText(element("lifetime-value"), lifeInWords(LIFETIMES[lifetime.valueAsNumber] ?? 10)));
  lifetime.addEventListener("change", async () => {
    await server.settings({ accessTokenSeconds: LIFETIMES[lifetime.valueAsNumber] ?? 10 }).catch(complain);
    // The next token is the first one with this lifetime.
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
    lifetime.setAttribute("aria-valuetext", lifeInWords(settings.accessTokenSeconds));
    setText(element("lifetime-value"), lifeInWords(LIFETIMES[lifetime.valueAsNumber] ?? settings.accessTokenSeconds));
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
    // Without the permission, the page selects the code, and the visitor copies it.
    getSelection()?.selectAllChildren(element("code"));
    setText(said, "Selected: copy it with the keyboard.");
  }
  setTimeout(() => setText(said, ""), 4000);
}
