/** What openapi-typescript makes of an API's description, in short. */
export interface paths {
  "/notes": {
    post: {
      requestBody: { content: { "application/json": { text: string } } };
      responses: { 200: { content: { "application/json": { path: string; body: string } } } };
    };
  };
}
