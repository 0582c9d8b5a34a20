import { setTimeout as delay } from 'node:timers/promises'
import type { BrowserContext } from '@playwright/test'

/** Changes so close together are of one tick, ms. */
const TOGETHER_MS = 300

/** Script of a page that stands open, for each tick of its figures, ms: what the main thread spent in JavaScript. */
export async function measureTicks(context: BrowserContext, path: string, seconds: number): Promise<number> {
  try {
    const page = await context.newPage()
    await page.goto(path, { waitUntil: 'load' })
    await delay(4_000)
    const session = await context.newCDPSession(page)
    await session.send('Performance.enable')
    const spent = async () => {
      const { metrics } = await session.send('Performance.getMetrics')
      return metrics.find(({ name }) => name === 'ScriptDuration')?.value ?? 0
    }
    await page.evaluate((together) => {
      const counted = { ticks: 0, last: -Infinity }
      Object.assign(window, { counted })
      new MutationObserver(() => {
        const now = performance.now()
        if (now - counted.last > together) counted.ticks++
        counted.last = now
      }).observe(document.body, { subtree: true, childList: true, characterData: true })
    }, TOGETHER_MS)
    const before = await spent()
    await delay(seconds * 1_000)
    const used = (await spent()) - before
    const ticks = await page.evaluate(
      () => (window as unknown as { counted: { ticks: number } }).counted.ticks,
    )
    if (ticks < seconds / 3) throw new Error(`${path} ticked ${ticks} times in ${seconds} s.`)
    return (used * 1_000) / ticks
  } finally {
    await context.close()
  }
}
