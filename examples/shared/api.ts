import { createKy } from "tokentide/ky";
import { session } from "./session";

export interface Note {
  id: number;
  text: string;
}

const api = createKy(session, { timeout: 30_000 });

export const loadNotes = (): Promise<Note[]> => api.get("/api/notes").json();

export const addNote = (text: string): Promise<Note> => api.post("/api/notes", { json: { text } }).json();
