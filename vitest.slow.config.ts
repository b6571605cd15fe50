/** `npm run test:slow`: one file after another, since each starts processes of its own and some measure time. */

import { configDefaults, defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['**/*.slow.test.ts'],
    exclude: [...configDefaults.exclude],
    fileParallelism: false,
    globalSetup: ['test/postgres.ts'],
    testTimeout: 15 * 60_000,
    hookTimeout: 5 * 60_000,
    passWithNoTests: true,
    reporters: ['default'],
  },
})
