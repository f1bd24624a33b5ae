import { defineConfig } from "vitest/config";

export default defineConfig({
  // The time-out is against tests that hang; on a busy machine everything is slow.
  test: { include: ["test/**/*.test.{ts,tsx}"], testTimeout: 60_000, unstubGlobals: true, restoreMocks: true },
});
