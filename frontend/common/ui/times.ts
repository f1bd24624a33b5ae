// Instants and durations as text, in the reader's language and time zone.

const SPANS = [["day", 86_400_000], ["hour", 3_600_000], ["minute", 60_000]] as const;
const RELATIVE = new Intl.RelativeTimeFormat("en", { numeric: "auto" });
const DAY = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short" });
const DAY_OF_YEAR = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short", year: "numeric" });
const EXACT = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "medium" });

/** "3 minutes ago", "yesterday". */
export function ago(instant: string, now: number): string {
  const span = Date.parse(instant) - now;
  const unit = SPANS.find(([, length]) => Math.abs(span) >= length);
  return unit ? RELATIVE.format(Math.round(span / unit[1]), unit[0]) : "just now";
}

/** "3 Dec", with the year if it is another one. */
export function day(instant: string, now: number): string {
  const date = new Date(instant);
  return (date.getFullYear() === new Date(now).getFullYear() ? DAY : DAY_OF_YEAR).format(date);
}

export function exactly(instant: string): string {
  return EXACT.format(new Date(instant));
}

/** "12 ms", "1.4 s", "38 s", "2 min". */
export function span(milliseconds: number): string {
  if (milliseconds < 1_000) return `${Math.round(milliseconds)} ms`;
  if (milliseconds < 10_000) return `${(milliseconds / 1_000).toFixed(1)} s`;
  if (milliseconds < 120_000) return `${Math.round(milliseconds / 1_000)} s`;
  return `${Math.round(milliseconds / 60_000)} min`;
}

/** What `<input type="datetime-local">` wants, in this zone. */
export function toInput(instant: string | null): string {
  if (instant === null) return "";
  const date = new Date(instant);
  const shown = new Date(date.getTime() - date.getTimezoneOffset() * 60_000);
  return isWritable(shown) ? shown.toISOString().slice(0, 16) : "";
}

export function fromInput(value: string): string | null {
  const date = new Date(value);
  return isWritable(date) ? date.toISOString() : null;
}

/** Whether it is a date, with a year of four digits: while a year is typed, inputs have values with five and six. */
function isWritable(date: Date): boolean {
  return date.getUTCFullYear() >= 0 && date.getUTCFullYear() <= 9_999;
}
