import type { Page } from '@playwright/test'
import { asFirstAdmin, consoleTest, expect, setUp } from './fixtures'
import { startConsole } from './server'

const test = consoleTest()
test.describe.configure({ mode: 'serial' })

test.beforeEach(async ({ page, console: running }) => {
  if (!(await asFirstAdmin(page, running))) await page.goto('/')
})

/** The live control, by the word that it says. */
const control = (page: Page, word: string) => page.locator('header').getByText(word, { exact: true })

/** When the figure under a label was measured, ms: every figure tells it. */
async function measuredAt(page: Page, label: string): Promise<number> {
  const title = await page.locator('[title*="holdfast_"]', { hasText: label }).first().getAttribute('title')
  return Date.parse(/\d{4}-\d\d-\d\dT[\d:.]+Z/.exec(title ?? '')?.[0] ?? '')
}

test('the first HTML holds measured values', async ({ page }) => {
  const html = await (await page.request.get('/')).text()
  const row = /<dt[^>]*>Resident memory<\/dt><dd[^>]*>.*?<\/dd>/s.exec(html)?.[0] ?? ''
  expect(row).toMatch(/>\d+(\.\d+)?<.*>MiB</s)
  expect(html).toContain('holdfast_process_resident_bytes')
})

test('figures tick by themselves, stand still when paused, and go on', async ({ page }) => {
  await expect(control(page, 'Live')).toBeVisible()
  const seen = new Set<number>()
  await expect
    .poll(async () => seen.add(await measuredAt(page, 'Resident memory')).size, { intervals: [200] })
    .toBeGreaterThanOrEqual(4)

  await control(page, 'Live').click()
  await expect(control(page, 'Paused')).toBeVisible()
  const stood = await measuredAt(page, 'Resident memory')
  await expect.poll(() => Date.now() - stood).toBeGreaterThan(6_000)
  expect(await measuredAt(page, 'Resident memory')).toBe(stood)
  await expect(page.getByText(/^[6-9] s old$/).first()).toBeVisible()

  await control(page, 'Paused').click()
  await expect(control(page, 'Live')).toBeVisible()
  await expect.poll(() => measuredAt(page, 'Resident memory')).toBeGreaterThan(stood + 6_000)
})

test('a figure stands still under the pointer while the others go on', async ({ page }) => {
  const resident = page.locator('[title*="holdfast_process_resident_bytes"]')
  await resident.hover()
  const stood = await measuredAt(page, 'Resident memory')
  await expect.poll(() => measuredAt(page, 'Heap')).toBeGreaterThan(stood + 2_000)
  expect(await measuredAt(page, 'Resident memory')).toBe(stood)
  await page.getByRole('heading', { name: 'Overview' }).hover()
  await expect.poll(() => measuredAt(page, 'Resident memory')).toBeGreaterThan(stood)
})

test('two tabs share one stream, and the second goes on when the first is closed', async ({
  page,
  context,
}) => {
  // The page that the test begins on may be about to open a stream of its own.
  await page.goto('about:blank')
  const streams: string[] = []
  context.on('request', (request) => {
    if (request.url().includes('/system.live')) streams.push(request.url())
  })
  await page.goto('/')
  const second = await context.newPage()
  await second.goto('/')
  const start = await measuredAt(second, 'Heap')
  await expect.poll(() => measuredAt(second, 'Heap')).toBeGreaterThan(start + 2_000)
  await expect.poll(() => streams.length).toBe(1)

  await page.close()
  await expect.poll(() => streams.length).toBe(2)
  expect(decodeURIComponent(streams[1] ?? '')).toMatch(/"lastEventId":"[0-9a-f]+-\d+"/)
  const taken = await measuredAt(second, 'Heap')
  await expect.poll(() => measuredAt(second, 'Heap')).toBeGreaterThan(taken + 2_000)
})

test('the configuration names its sources and shows no secret', async ({ page, console: running }) => {
  await page.goto('/system/configuration')
  const table = page.getByRole('table', { name: /Variables/ })
  await expect(
    table.getByRole('row', { name: new RegExp(`^PORT ${running.port} environment`) }),
  ).toBeVisible()
  await expect(table.getByRole('row', { name: /^DB_POOL_MAX 20 default/ })).toBeVisible()
})

test('a console that stops is told after 15 s, and the page goes on when it is back', async ({ browser }) => {
  const first = await startConsole()
  const context = await browser.newContext({ baseURL: first.url })
  const page = await context.newPage()
  await setUp(page, first.setUpLink ?? '')
  await expect(control(page, 'Live')).toBeVisible()

  await first.stop({ keep: true })
  await expect(control(page, 'Reconnecting')).toBeVisible()
  await expect(page.getByText(/^Offline: no news from the console/)).toBeVisible({ timeout: 30_000 })
  await expect(control(page, 'Offline')).toBeVisible()
  const last = await measuredAt(page, 'Heap')

  const second = await startConsole({ dataDir: first.dataDir, port: first.port })
  await expect(control(page, 'Live')).toBeVisible({ timeout: 30_000 })
  await expect(page.getByText(/^Offline: no news/)).toHaveCount(0)
  await expect.poll(() => measuredAt(page, 'Heap')).toBeGreaterThan(last)
  await context.close()
  await second.stop({ keep: false })
})
