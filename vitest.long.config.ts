import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["test/**/*.long.test.ts"],
    globalSetup: "test/spec/check-run.ts",
    maxWorkers: "100%",
    testTimeout: 3_600_000,
    hookTimeout: 3_600_000,
  },
});
