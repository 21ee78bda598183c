import { initTRPC } from "@trpc/server";
import { buildSchema, graphql } from "graphql";

/** The notes of one server, by whatever protocol they came. */
export const createNotes = () => [] as string[];

const trpc = initTRPC.create();

/** The notes by tRPC. */
export const createRouter = (notes: string[]) =>
  trpc.router({
    add: trpc.procedure
      .input((input: unknown) => input as { text: string })
      .mutation(({ input }) => {
        notes.push(input.text);
        return notes.length;
      }),
    list: trpc.procedure.query(() => notes),
  });

export type AppRouter = ReturnType<typeof createRouter>;

export const schema = buildSchema(`
  type Query { notes: [String!]! me: User! }
  type User { id: ID! name: String! }
  type Mutation { add(text: String!): Int! }
  type Subscription { added: String! }
`);

/** The notes by GraphQL over HTTP, as far as clients use it. */
export async function answerGraphql(notes: string[], request: Request, me: () => unknown = () => null): Promise<Response> {
  const url = new URL(request.url);
  const given = request.method === "GET" ? Object.fromEntries(url.searchParams) : await request.json();
  const variableValues = typeof given.variables === "string" ? JSON.parse(given.variables) : given.variables;
  const rootValue = { notes: () => notes, me, add: ({ text }: { text: string }) => notes.push(text) };
  return Response.json(await graphql({ schema, source: given.query, variableValues, operationName: given.operationName, rootValue }));
}
