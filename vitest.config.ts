import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    exclude: ["test/**/*.long.test.ts"],
    globalSetup: "test/spec/check-run.ts",
    maxWorkers: "100%", // by default one processor is left idle: of two that is half
    testTimeout: 120_000,
    hookTimeout: 120_000,
  },
});
