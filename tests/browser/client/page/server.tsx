// Renders the page on Node.
import { StrictMode } from "react";
import { renderToString } from "react-dom/server";
import { createApp } from "./app.js";
import { Page } from "./page.js";

/** The markup of the page for the API at this address. */
export function render(url: string): string {
  return renderToString(<StrictMode><Page app={createApp({ url })} /></StrictMode>);
}
