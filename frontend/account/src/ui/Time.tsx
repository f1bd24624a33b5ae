import { ago, exactly } from "../../../common/ui/times";

const DAY = new Intl.DateTimeFormat(undefined, { dateStyle: "medium" });

/** The instant in the viewer's zone; the title has it in UTC. */
export function Time({ at, form = "ago" }: { at: string; form?: "ago" | "exact" | "day" }) {
  const text = form === "ago" ? ago(at, Date.now()) : form === "day" ? DAY.format(new Date(at)) : exactly(at);
  return <time dateTime={at} title={utc(at)}>{text}</time>;
}

function utc(instant: string): string {
  return `${new Date(instant).toISOString().slice(0, 19).replace("T", " ")} UTC`;
}
