/** A demo user: `taskriver dev` has them, a real server never. */
export interface DemoPeople {
  readonly names: readonly string[];
  readonly password: string;
}

interface Settings {
  readonly demo?: DemoPeople;
  /** Other pages of this server: their names, and where they are. */
  readonly links?: Readonly<Record<string, string>>;
}

/** What the server wrote into the page. */
export const settings: Settings = JSON.parse(document.querySelector<HTMLMetaElement>("meta[name=taskriver]")!.content);
