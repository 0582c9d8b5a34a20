import { existsSync, readdirSync } from 'node:fs'
import { defineConfig } from '@playwright/test'
import { seeded, shuffled } from './bench/lib/seeded'

/** Debian's Chromium where it is installed, otherwise Playwright's own. The shell has no windows to draw: a quarter less time. */
const debian = ['/usr/bin/chromium-headless-shell', '/usr/bin/chromium'].find((path) => existsSync(path))

/**
 * Chromium's features that are off: those that Playwright switches off itself (only the last list counts), and the
 * pop-ups of the address bar, pages of the browser's own that each tab loaded: they took a third of all time.
 */
const OFF = [
  ...['AvoidUnnecessaryBeforeUnloadCheckSync', 'DestroyProfileOnBrowserClose', 'HttpsUpgrades'],
  ...['HttpsFirstBalancedModeAutoEnable', 'LensOverlay', 'MediaRouter', 'PaintHolding'],
  ...['ThirdPartyStoragePartitioning', 'AvoidCorsURLLoaderRestartOnRedirect', 'OptimizationHints'],
  ...['NetworkTimeServiceQuerying', 'AimEnabled', 'PreconnectToSearch'],
  ...['WebUIOmniboxPopup', 'WebUIOmniboxAimPopup'],
]

// Workers load this file, too, and must find the same order.
process.env.HOLDFAST_TEST_SEED ??= String(Date.now())
const specs = readdirSync('e2e').filter((name) => name.endsWith('.spec.ts'))

export default defineConfig({
  testDir: 'e2e',
  // A project each, because Playwright runs projects in the order they are given and files by name.
  projects: shuffled(specs, seeded(Number(process.env.HOLDFAST_TEST_SEED))).map((name) => ({
    name,
    testMatch: name,
  })),
  outputDir: 'test-results',
  timeout: 180_000,
  expect: { timeout: 30_000 },
  // Each file starts its own console, and waits for some of its time: three keep two cores busy.
  workers: 3,
  fullyParallel: false,
  retries: 0,
  forbidOnly: Boolean(process.env.CI),
  reporter: 'list',
  use: {
    browserName: 'chromium',
    viewport: { width: 1440, height: 900 },
    // A trace costs a third more: ask for it with "--trace retain-on-failure" where the picture does not tell enough.
    trace: 'off',
    screenshot: 'only-on-failure',
    launchOptions: {
      executablePath: debian,
      args: [
        ...(process.getuid?.() === 0 ? ['--no-sandbox'] : []),
        // Nothing but the tests' own requests: no look-ups, updates or synchronisation.
        ...['--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking'],
        ...['--disable-component-update', '--disable-sync', `--disable-features=${OFF.join(',')}`],
      ],
    },
  },
})
