// In the page: the first thing that it does is to call the API.
import { makeSession } from "./app.js";

const session = makeSession();
// What is not read is not listed among the resources.
void session.fetch("/api/me").then((response) => response.text());
