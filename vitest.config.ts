import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'

const seed = Number(process.env.HOLDFAST_TEST_SEED ?? Date.now())

export default defineConfig({
  resolve: { alias: { '@': fileURLToPath(new URL('.', import.meta.url)).replace(/\/$/, '') } },
  test: {
    include: ['{app,bench,components,db,e2e,scripts,server}/**/*.test.{ts,tsx}'],
    environment: 'node',
    pool: 'forks',
    // A worker loads the code once, not once for each of its files: that took a third of its time.
    isolate: false,
    globalSetup: ['./db/testing/setup.ts'],
    testTimeout: 30_000,
    hookTimeout: 60_000,
    // A condition that is waited for: one second is not enough where other work keeps the machine busy.
    expect: { poll: { timeout: 15_000 } },
    teardownTimeout: 20_000,
    // Many wait for what a server takes to notice: four keep two cores busy.
    maxWorkers: 4,
    // Files in random order: what one leaves behind may not be what another stands on.
    sequence: { shuffle: { files: true, tests: false }, seed },
  },
})
