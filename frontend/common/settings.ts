/** A demo user: `taskriver dev` has them, a real server never. */
export interface DemoPeople {
  readonly names: readonly string[];
  readonly password: string;
}

/** A provider through which users sign in: what its button says, and the path of the server that leads there. */
export interface SignInProvider {
  readonly label: string;
  readonly startPath: string;
}

interface Settings {
  readonly demo?: DemoPeople;
  /** How users sign in; left out, if it is with passwords only. */
  readonly signIn?: { readonly passwords: boolean; readonly providers: readonly SignInProvider[] };
  /** Other pages of this server: their names, and where they are. */
  readonly links?: Readonly<Record<string, string>>;
}

/** What the server wrote into the page. */
export const settings: Settings = JSON.parse(document.querySelector<HTMLMetaElement>("meta[name=taskriver]")!.content);
