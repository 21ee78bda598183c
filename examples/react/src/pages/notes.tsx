import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import type { FormEvent } from "react";
import { addNote, loadNotes } from "../../../shared/api";

export function Notes() {
  const { data: notes, error } = useQuery({ queryKey: ["notes"], queryFn: loadNotes });
  return (
    <>
      <title>Notes</title>
      <h1>Your notes</h1>
      <NewNote />
      {error && <p role="alert">{error.message}</p>}
      {notes?.length === 0 && <p>None yet.</p>}
      <ul aria-busy={!notes}>
        {notes?.map(({ id, text }) => (
          <li key={id}>{text}</li>
        ))}
      </ul>
    </>
  );
}

function NewNote() {
  const queries = useQueryClient();
  const { mutate, isPending, error } = useMutation({
    mutationFn: addNote,
    onSuccess: () => queries.invalidateQueries({ queryKey: ["notes"] }),
  });

  function submit(event: FormEvent<HTMLFormElement>) {
    event.preventDefault();
    const form = event.currentTarget;
    mutate(String(new FormData(form).get("text")), { onSuccess: () => form.reset() });
  }

  return (
    <form onSubmit={submit}>
      <label>
        New note
        <input name="text" required maxLength={200} autoComplete="off" />
      </label>
      <button type="submit" className="main" disabled={isPending}>
        Add
      </button>
      {error && <p role="alert">{error.message}</p>}
    </form>
  );
}
