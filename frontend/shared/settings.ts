/** Somebody of the demo data: `taskriver dev` has them, and a real server never. */
export interface DemoPeople {
  readonly names: readonly string[];
  readonly password: string;
}

interface Settings {
  readonly demo?: DemoPeople;
}

/** What the server wrote into the page. */
export const settings: Settings = JSON.parse(document.querySelector<HTMLMetaElement>("meta[name=taskriver]")!.content);
