/** What a scenario needs of a browser, whatever its engine: a scenario that uses no more runs in each of them. */
export interface Browser {
  readonly engine: string;
  readonly version: string;
  /** Whether a page that is left may be kept alive and come back. */
  readonly backForwardCache: boolean;
  /** Whether its driver goes on when one page's process has ended. */
  readonly survivesCrash: boolean;
  newTab(url: string): Promise<Tab>;
  /** A window of the private kind, where the engine can be told to open one beside the others. */
  privateWindow?(): Promise<PrivateWindow>;
  close(): Promise<void>;
}

export interface PrivateWindow extends Pick<Browser, "newTab"> {
  close(): Promise<void>;
}

/** All tabs of a browser share one profile: storage, channels and locks. */
export interface Tab {
  /** Runs the function in the page, where nothing of its surroundings here exists. */
  run<R>(script: () => R | Promise<R>): Promise<R>;
  run<R, A>(script: (argument: A) => R | Promise<R>, argument: A): Promise<R>;
  goto(url: string): Promise<void>;
  reload(): Promise<void>;
  /** Opens the same page in a second tab, which begins with a copy of this one's sessionStorage: what "duplicate tab" does. */
  duplicate(): Promise<Tab>;
  /** As a user closes it. */
  close(): Promise<void>;
  /** Ends the page's process, as a bug or the lack of memory does. `busy`: the page is, and its process ends in the midst of that. */
  crash(busy?: boolean): Promise<void>;
}

/** The name that stands for this machine in an origin that is not secure, since it is neither https nor localhost. */
export const insecureHost = "app.test";
