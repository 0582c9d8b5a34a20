import { setTimeout as delay } from 'node:timers/promises'
import type { BrowserContext, CDPSession, Page } from '@playwright/test'

/** What counts as the first load ends so long after the load event, ms (interface.md's budgets). */
const SETTLE_MS = 2_000
/** A task of the main thread blocks with what it takes beyond this, ms (https://web.dev/articles/tbt). */
const LONG_TASK_MS = 50

/** What a page costs who comes for the first time. */
export interface Loaded {
  /** JavaScript as transferred, KB of 1,024 bytes. */
  scriptKb: number
  requests: number
  /** Milliseconds. */
  lcp: number
  /** Milliseconds. */
  tbt: number
  cls: number
  /** Longest interaction from input to paint of opening, using and closing the palette, ms. */
  inp: number
  /** Whether it shows a chart of recharts. */
  charts: boolean
}

/** Opens a page in a context that has loaded nothing yet, and closes the context. */
export async function load(context: BrowserContext, path: string): Promise<Loaded> {
  try {
    const page = await context.newPage()
    await page.addInitScript(observe)
    const traffic = await watch(await context.newCDPSession(page))
    const response = await page.goto(path, { waitUntil: 'load' })
    if (response?.status() !== 200) throw new Error(`${path} answered ${response?.status()}.`)
    await delay(SETTLE_MS)
    const { scriptBytes, requests } = traffic()
    const charts = (await page.locator('.recharts-surface').count()) > 0
    const inp = await interact(page)
    const { lcp, cls, tasks } = await page.evaluate(() => (window as unknown as Observed).observed)
    const tbt = tasks.reduce((sum, duration) => sum + Math.max(0, duration - LONG_TASK_MS), 0)
    return { scriptKb: scriptBytes / 1024, requests, lcp, tbt, cls, inp, charts }
  } finally {
    await context.close()
  }
}

interface Observed {
  observed: { lcp: number; cls: number; tasks: number[]; events: number[] }
}

/** Runs in the page, before anything of its own. */
function observe(): void {
  const observed: Observed['observed'] = { lcp: 0, cls: 0, tasks: [], events: [] }
  Object.assign(window, { observed })
  const on = (type: string, take: (entry: PerformanceEntry) => void, more: object = {}) =>
    new PerformanceObserver((list) => list.getEntries().forEach(take)).observe({
      ...{ type, buffered: true },
      ...more,
    })
  on('largest-contentful-paint', ({ startTime }) => {
    observed.lcp = startTime
  })
  on('layout-shift', (entry) => {
    const { value, hadRecentInput } = entry as unknown as { value: number; hadRecentInput: boolean }
    if (!hadRecentInput) observed.cls += value
  })
  on('longtask', ({ duration }) => observed.tasks.push(duration))
  on('event', ({ duration }) => observed.events.push(duration), { durationThreshold: 16 })
}

/** Counts what comes over the network; answers the sums so far. */
async function watch(session: CDPSession): Promise<() => { scriptBytes: number; requests: number }> {
  const scripts = new Set<string>()
  let scriptBytes = 0
  let requests = 0
  session.on('Network.requestWillBeSent', ({ request }) => {
    if (!request.url.startsWith('data:')) requests++
  })
  session.on('Network.responseReceived', ({ requestId, response }) => {
    // Also what is only fetched ahead, which is no script to the browser yet.
    if (/javascript/.test(response.mimeType)) scripts.add(requestId)
  })
  session.on('Network.loadingFinished', ({ requestId, encodedDataLength }) => {
    if (scripts.has(requestId)) scriptBytes += encodedDataLength
  })
  await session.send('Network.enable')
  return () => ({ scriptBytes, requests })
}

/** Opens the palette, types into it and closes it; where there is none, keys that do nothing. */
async function interact(page: Page): Promise<number> {
  await page.keyboard.press('Control+k')
  await delay(300)
  await page.keyboard.type('sess', { delay: 60 })
  await page.keyboard.press('Escape')
  await delay(500)
  const { events } = await page.evaluate(() => (window as unknown as Observed).observed)
  return Math.max(0, ...events)
}
