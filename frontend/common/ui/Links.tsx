import { settings } from "../settings";

/** The other pages of this server, as far as it has them. */
export function Links({ class: name }: { class: string }) {
  const links = Object.entries(settings.links ?? {});
  if (!links.length) return null;
  return (
    <nav class={name} aria-label="Other pages">
      {links.map(([title, path]) => <a key={path} href={path}>{title}</a>)}
    </nav>
  );
}
