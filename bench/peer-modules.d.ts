/** As much of the peers as the benchmarks use: only `npm run bench` installs them, and the types are checked without it. */

declare module "@badgateway/oauth2-client" {
  interface Token {
    accessToken: string;
    refreshToken: string | null;
    expiresAt: number | null;
  }
  export class OAuth2Client {
    constructor(settings: { server: string; tokenEndpoint: string; clientId: string; fetch: typeof fetch });
  }
  export class OAuth2Fetch {
    constructor(options: { client: OAuth2Client; getNewToken: () => Token | null; getStoredToken: () => Token | null });
    fetch(input: RequestInfo | URL, init?: RequestInit): Promise<Response>;
  }
}

declare module "axios-auth-refresh" {
  import type { AxiosError, AxiosInstance } from "axios";

  type Install = (instance: AxiosInstance, refresh: (error: AxiosError) => Promise<void>) => number;
  const install: Install & { default?: Install };
  export default install;
}

declare module "keycloak-js" {
  export default class Keycloak {
    constructor(config: { url: string; realm: string; clientId: string });
    token?: string;
    init(options: { token: string; idToken: string; refreshToken: string; checkLoginIframe: boolean }): Promise<boolean>;
    updateToken(minValidity: number): Promise<boolean>;
  }
}

declare module "oidc-client-ts" {
  export class InMemoryWebStorage {}
  export class WebStorageStateStore {
    constructor(options: { store: InMemoryWebStorage | Storage });
  }
  interface UserProperties {
    access_token: string;
    refresh_token: string;
    id_token: string;
    token_type: string;
    scope: string;
    profile: { iss: string; aud: string; sub: string; iat: number; exp: number };
    expires_at: number;
  }
  export class User {
    constructor(properties: UserProperties);
    access_token: string;
  }
  interface Settings {
    authority: string;
    client_id: string;
    redirect_uri: string;
    metadata?: { issuer: string; token_endpoint: string };
    automaticSilentRenew?: boolean;
    userStore: WebStorageStateStore;
    stateStore?: WebStorageStateStore;
  }
  export class UserManager {
    constructor(settings: Settings);
    storeUser(user: User): Promise<void>;
    getUser(): Promise<User | null>;
    signinSilent(): Promise<User | null>;
  }
}

declare module "supertokens-website" {
  interface CookieHandler {
    getCookie(): Promise<string>;
    setCookie(cookie: string): Promise<void>;
  }
  const SuperTokens: {
    init(config: { apiDomain: string; tokenTransferMethod: "header"; cookieHandler: (original: CookieHandler) => CookieHandler }): void;
  };
  export default SuperTokens;
}

declare module "@supabase/auth-js" {
  interface Storage {
    getItem(key: string): string | null;
    setItem(key: string, value: string): void;
    removeItem(key: string): void;
  }
  export class AuthClient {
    constructor(options: { url: string; storageKey: string; storage?: Storage; autoRefreshToken?: boolean; fetch?: typeof fetch });
    getSession(): Promise<{ data: { session: { access_token: string } | null } }>;
    refreshSession(): Promise<unknown>;
    stopAutoRefresh(): Promise<void>;
  }
}

declare module "@okta/okta-auth-js" {
  interface Options {
    issuer: string;
    clientId: string;
    redirectUri: string;
    tokenManager: { storage: "memory"; autoRenew: boolean };
    ignoreSignature: boolean;
  }
  export class OktaAuth {
    constructor(options: Options);
    tokenManager: { setTokens(tokens: { accessToken: object; refreshToken: object }): void; renew(key: string): Promise<unknown> };
    getOrRenewAccessToken(): Promise<string | null>;
  }
}

declare module "@auth0/auth0-spa-js" {
  interface Cache {
    get(key: string): object | undefined;
    set(key: string, entry: object): void;
    remove(key: string): void;
    allKeys(): string[];
  }
  interface Options {
    domain: string;
    issuer: string;
    clientId: string;
    useRefreshTokens: boolean;
    authorizationParams: { scope: string };
    cache: Cache;
  }
  export class Auth0Client {
    constructor(options: Options);
    getTokenSilently(options?: { cacheMode: "off" }): Promise<string>;
  }
  export function createAuth0Client(
    options: Omit<Options, "issuer" | "cache"> & { cacheLocation: "localstorage" },
  ): Promise<Pick<Auth0Client, "getTokenSilently">>;
}
