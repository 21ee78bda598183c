import { useSessionEvent } from "tokentide/vue";
import { ref, shallowRef } from "vue";
import { loadNotes, type Note } from "../../shared/api";

/** The notes of whoever is signed in. */
export function useNotes() {
  const notes = shallowRef<Note[]>();
  const problem = ref("");
  let asked = 0;

  async function load() {
    asked += 1;
    const question = asked;
    try {
      const answer = await loadNotes();
      // Another question was asked meanwhile, perhaps by somebody else.
      if (question !== asked) return;
      notes.value = answer;
      problem.value = "";
    } catch (error) {
      if (question === asked) problem.value = (error as Error).message;
    }
  }

  useSessionEvent("user-changed", () => {
    notes.value = undefined;
    void load();
  });
  void load();
  return { notes, problem, load };
}
