import { sendJson } from "../servers/http.js";

const LONGEST = 200;

/**
 * What the API of the example apps has besides the demo's: the notes of whoever is signed in, for as long as the server runs.
 * @returns {Record<string, import("../servers/oauth/api.js").Route>}
 */
export function notesRoutes() {
  /** @type {Map<string, { id: number, text: string }[]>} by user */
  const notes = new Map();
  let last = 0;

  const notesOf = (/** @type {string} */ user) => {
    const own = notes.get(user) ?? [];
    notes.set(user, own);
    return own;
  };

  return {
    "GET /api/notes": (response, { sub }) => sendJson(response, 200, notesOf(sub)),
    "POST /api/notes": (response, { sub }, _request, body) => {
      const text = textIn(body);
      if (text === undefined) return sendJson(response, 400, { error: `a note is { text }, of 1 to ${LONGEST} characters` });
      last += 1;
      const note = { id: last, text };
      notesOf(sub).push(note);
      sendJson(response, 201, note);
    },
  };
}

/** @returns {string | undefined} nothing when it is none */
function textIn(/** @type {Buffer} */ body) {
  try {
    const text = JSON.parse(body.toString()).text.trim();
    return text.length > 0 && text.length <= LONGEST ? text : undefined;
  } catch {
    return undefined;
  }
}
