/** `npm test`: everything that must pass. Suites that take minutes are `*.slow.test.ts`, see vitest.slow.config.ts. */

import { configDefaults, defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['**/*.test.ts'],
    exclude: [...configDefaults.exclude, '**/*.slow.test.ts', 'src/models/kernels/assembly/**'],
    globalSetup: ['test/postgres.ts'],
    testTimeout: 60_000,
    hookTimeout: 120_000,
    reporters: ['default'],
  },
})
