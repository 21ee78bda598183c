import { session } from "./session";

export interface Note {
  id: number;
  text: string;
}

export const loadNotes = (): Promise<Note[]> => call("/api/notes");

export const addNote = (text: string): Promise<Note> =>
  call("/api/notes", { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify({ text }) });

async function call<T>(path: string, init?: RequestInit): Promise<T> {
  const response = await session.fetch(path, init);
  if (!response.ok) throw new Error(`The server answered ${response.status}.`);
  return response.json() as Promise<T>;
}
