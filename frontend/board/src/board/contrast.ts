// Text on a coloured ground. Pure.

const DARK = "#000000";
const LIGHT = "#ffffff";

/** Black or white, whichever has the greater contrast on *color* (WCAG 2). */
export function textOn(color: string): string {
  const ground = luminance(color);
  return contrast(ground, luminance(DARK)) >= contrast(ground, luminance(LIGHT)) ? DARK : LIGHT;
}

export function contrast(one: number, other: number): number {
  return (Math.max(one, other) + 0.05) / (Math.min(one, other) + 0.05);
}

/** The relative luminance of a colour such as `#1a7f37`. */
export function luminance(color: string): number {
  const [red, green, blue] = [1, 3, 5].map((at) => channel(parseInt(color.slice(at, at + 2), 16) / 255));
  return 0.2126 * red! + 0.7152 * green! + 0.0722 * blue!;
}

function channel(value: number): number {
  return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
}
