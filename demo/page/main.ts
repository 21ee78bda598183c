import { useApi } from "./api.js";
import { useControls } from "./controls.js";
import { showCounts } from "./counts.js";
import { element, setText } from "./dom.js";
import { showEvents } from "./events.js";
import { session } from "./session.js";
import { finishSignIn } from "./sign-in.js";
import { showProblem, showStatus } from "./status.js";
import { numberTab } from "./tabs.js";
import { showToken } from "./token.js";
import { showRequests } from "./wire.js";

numberTab((number) => setText(element("tab"), `Tab ${number}`));
showRequests();
showEvents();
showStatus();
showToken();
showCounts();
useControls();
useApi();

try {
  const tokens = await finishSignIn();
  if (tokens) await session.signIn(tokens);
} catch (error) {
  await session.ready;
  showProblem(`The sign-in failed: ${(error as Error).message}`);
}
