/**
 * A new idempotency key: 32 hexadecimal digits. `crypto.randomUUID` exists only on HTTPS and localhost, so it is not used.
 * Without `crypto` (React Native without a polyfill) the digits come from `Math.random`: a key must be unique, not secret.
 */
export function createIdempotencyKey(): string {
  const bytes = new Uint8Array(16);
  const crypto = globalThis.crypto as Partial<Crypto> | undefined;
  if (crypto?.getRandomValues) crypto.getRandomValues(bytes);
  else bytes.forEach((_, index) => (bytes[index] = Math.random() * 256));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
