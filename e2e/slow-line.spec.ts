import type { Page } from '@playwright/test'
import { freePorts } from '@/db/testing/processes'
import { base, expect, setUp, signIn } from './fixtures'
import { control, measuredAt } from './live'
import { type RunningConsole, startConsole } from './server'
import { openSlowLine, type SlowLine } from './slow-line'

interface World {
  console: RunningConsole
  line: SlowLine
}

/** A console whose only address is at the other end of a line. */
const test = base.extend<{ baseURL: string }, { world: World }>({
  world: [
    // biome-ignore lint/correctness/noEmptyPattern: Playwright reads the names of what a fixture needs from it
    async ({}, use) => {
      const [port, behind] = (await freePorts(2)) as [number, number]
      const line = await openSlowLine(port, behind, { delayMs: 150, lossOneOf: 100 })
      const env = { HOLDFAST_URL: `http://localhost:${port}` }
      const console = await startConsole({ port: behind, env })
      await use({ console, line })
      await console.stop()
      await line.close()
    },
    { scope: 'worker' },
  ],
  baseURL: async ({ world }, use) => use(world.console.url),
})

test('over a line of 300 ms that loses one packet of 100 one signs in, sees live figures and goes to another page', async ({
  page,
  browser,
  world,
}) => {
  const quick = await browser.newContext({ baseURL: world.console.url })
  await setUp(await quick.newPage(), world.console.setUpLink ?? '')
  await quick.close()

  world.line.slow()
  await signIn(page)
  await expect(control(page, 'Live')).toBeVisible()
  const seen = await watch(page)
  const first = await measuredAt(page, 'Resident memory')
  await expect.poll(() => measuredAt(page, 'Resident memory')).toBeGreaterThan(first + 10_000)
  const areas = page.getByRole('navigation', { name: 'Areas' })
  await areas.getByRole('link', { name: 'Security', exact: true }).click()
  await expect(page.getByRole('table', { name: 'Audit events' }).getByRole('row').nth(1)).toBeVisible()
  await areas.getByRole('link', { name: 'Overview', exact: true }).click()
  const back = await measuredAt(page, 'Resident memory')
  await expect.poll(() => measuredAt(page, 'Resident memory')).toBeGreaterThan(back + 2_000)

  const { words, blankMs } = await seen()
  expect(words).toEqual(['Live'])
  // Between two pages is nothing for as long as an outline waits, 150 ms, and for what a busy machine adds.
  expect(blankMs).toBeLessThan(1_000)
})

interface Seen {
  /** What the live control said. */
  words: string[]
  /** For how long at most the page had nothing on it, ms. */
  blankMs: number
}

/** Looks from now on at what a page shows; answers what it saw. */
async function watch(page: Page): Promise<() => Promise<Seen>> {
  await page.evaluate(() => {
    const seen: Seen = { words: [], blankMs: 0 }
    Object.assign(window, { seen })
    let filled = performance.now()
    const look = () => {
      const now = performance.now()
      if (document.querySelector('main')?.innerText.trim()) filled = now
      seen.blankMs = Math.max(seen.blankMs, now - filled)
      const word = document.querySelector<HTMLElement>('header [aria-live="polite"]')?.innerText.trim()
      if (word !== undefined && !seen.words.includes(word)) seen.words.push(word)
    }
    setInterval(look, 50)
  })
  return () => page.evaluate(() => (window as unknown as { seen: Seen }).seen)
}
