export type Json = string | number | boolean | null | undefined | readonly Json[] | { readonly [name: string]: Json };
export type JsonObject = { readonly [name: string]: Json };
/** An object with an id whose version grows with each change. */
export type Versioned = JsonObject & { readonly id: string; readonly version: number };

/** The same names with other values. */
export function mapFields(value: JsonObject, map: (field: Json, name: string) => Json): JsonObject {
  return Object.fromEntries(Object.entries(value).map(([name, field]) => [name, map(field, name)]));
}

export function isObject(value: Json): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

export function isVersioned(value: JsonObject): value is Versioned {
  return typeof value["id"] === "string" && typeof value["version"] === "number";
}

/** Whether two values are equal as JSON. */
export function isEqual(one: unknown, other: unknown): boolean {
  if (typeof one !== "object" || typeof other !== "object" || !one || !other) return one === other;
  const names = Object.keys(one);
  return names.length === Object.keys(other).length && names.every((name) => isEqual((one as JsonObject)[name], (other as JsonObject)[name]));
}
