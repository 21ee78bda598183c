/** As much of oidc-provider 9, which has no types of its own, as the servers use. */
declare module "oidc-provider" {
  import type { IncomingMessage, ServerResponse } from "node:http";

  /** Of a record, whatever its model. */
  export interface Payload {
    accountId?: string;
    consumed?: number;
    grantId?: string;
    uid?: string;
    userCode?: string;
  }

  export interface Adapter {
    upsert(id: string, payload: Payload, expiresIn: number): Promise<void>;
    find(id: string): Promise<Payload | undefined>;
    findByUid(uid: string): Promise<Payload | undefined>;
    findByUserCode(userCode: string): Promise<Payload | undefined>;
    consume(id: string): Promise<void>;
    destroy(id: string): Promise<void>;
    revokeByGrantId(grantId: string): Promise<void>;
  }

  /** An access token or a refresh token. */
  export interface Token {
    readonly jti: string;
    readonly accountId: string;
    readonly clientId: string;
    readonly grantId: string;
    /** Seconds that it lives. */
    readonly expiration: number;
    /** The API that the token is for. */
    resourceServer?: ResourceServer;
    /** Resolves to the token's text. */
    save(): Promise<string>;
  }

  export interface Grant {
    readonly jti: string;
    addOIDCScope(scope: string): void;
    addResourceScope(resource: string, scope: string): void;
    save(): Promise<string>;
  }

  export interface Client {
    readonly clientId: string;
  }

  export interface Account {
    accountId: string;
    claims(): Promise<{ sub: string; name?: string }>;
  }

  /** Of Koa. */
  export interface Context {
    readonly req: IncomingMessage;
    readonly res: ServerResponse;
    readonly path: string;
    readonly method: string;
    status: number;
    body: unknown;
    type: string;
    /** False when the response is written around Koa. */
    respond: boolean;
    get(header: string): string;
    set(header: string, value: string): void;
    set(headers: Record<string, string | string[]>): void;
    readonly oidc: {
      readonly client: Client;
      readonly session: { readonly accountId: string };
      readonly entities: { readonly RefreshToken?: Token };
      readonly params?: Readonly<Record<string, string | undefined>>;
    };
  }

  export type Middleware = (ctx: Context, next: () => Promise<unknown>) => Promise<unknown>;

  export interface ResourceServer {
    audience: string;
    scope: string;
    accessTokenFormat: "jwt" | "opaque";
    jwt?: { sign: { alg: string } };
  }

  type Toggle = { enabled: boolean };
  type Lifetime = () => number;

  export interface Configuration {
    adapter: (model: string) => Adapter;
    jwks: { keys: object[] };
    cookies: { keys: string[] };
    clients: Record<string, string | boolean | readonly string[]>[];
    clientBasedCORS: () => boolean;
    scopes?: string[];
    claims?: Record<string, string[]>;
    conformIdTokenClaims?: boolean;
    pkce?: { required: () => boolean };
    rotateRefreshToken: () => boolean;
    issueRefreshToken?: () => Promise<boolean>;
    expiresWithSession: () => Promise<boolean>;
    loadExistingGrant?: (ctx: Context) => Promise<Grant>;
    findAccount: (ctx: Context, accountId: string) => Account | undefined;
    extraTokenClaims?: (ctx: Context, token: Token) => object;
    features: {
      devInteractions: Toggle;
      userinfo: Toggle;
      dPoP?: Toggle & { nonceSecret?: Buffer | undefined; requireNonce: (ctx: Context) => boolean };
      rpInitiatedLogout?: Toggle;
      revocation?: Toggle & { allowedPolicy: (ctx: Context, client: Client, token: Token) => boolean };
      resourceIndicators: Toggle & {
        defaultResource: (ctx: Context) => string | string[];
        useGrantedResource: () => boolean;
        getResourceServerInfo: (ctx: Context, resource: string) => ResourceServer;
      };
    };
    interactions: { url: (ctx: Context, interaction: { uid: string }) => string };
    renderError?: (ctx: Context, out: { error: string; error_description?: string }) => void;
    routes?: Record<string, string>;
    ttl: Record<string, Lifetime>;
  }

  interface Events {
    "access_token.issued": [token: Token];
    "access_token.saved": [token: Token];
    "grant.success": [ctx: Context];
    "grant.error": [ctx: Context, error: Error & { error: string }];
    "grant.revoked": [ctx: Context, grantId: string];
    server_error: [ctx: Context, error: Error];
  }

  type InteractionResult = { login: { accountId: string } } | { consent: object } | { error: string };

  export class Provider {
    constructor(issuer: string, configuration: Configuration);
    readonly AccessToken: (new (properties: object) => Token) & { find(token: string): Promise<Token | undefined> };
    readonly ResourceServer: new (
      identifier: string,
      properties: ResourceServer,
    ) => ResourceServer;
    readonly RefreshToken: new (
      properties: object,
    ) => Token;
    readonly Grant: new (properties: {
      accountId: string;
      clientId: string;
    }) => Grant;
    readonly Client: { find(clientId: string): Promise<Client | undefined> };
    on<Name extends keyof Events>(event: Name, listener: (...args: Events[Name]) => void): this;
    use(middleware: Middleware): this;
    /** Whether the headers `X-Forwarded-…` tell the address that was called. */
    proxy: boolean;
    pathFor(name: "token" | "revocation"): string;
    callback(): (request: IncomingMessage, response: ServerResponse) => Promise<void>;
    interactionDetails(request: IncomingMessage, response: ServerResponse): Promise<{ prompt: { name: string } }>;
    interactionFinished(
      request: IncomingMessage,
      response: ServerResponse,
      result: InteractionResult,
      options?: { mergeWithLastSubmission: boolean },
    ): Promise<void>;
  }
}
