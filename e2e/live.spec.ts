import type { Page } from '@playwright/test'
import { asFirstAdmin, consoleTest, expect, setUp } from './fixtures'
import { control, measuredAt } from './live'
import { startConsole } from './server'

const test = consoleTest()
test.describe.configure({ mode: 'serial' })

test.beforeEach(async ({ page, console: running }) => {
  if (!(await asFirstAdmin(page, running))) await page.goto('/')
})

test('the first HTML holds measured values', async ({ page }) => {
  const html = await (await page.request.get('/')).text()
  const row = /<dt[^>]*>Resident memory<\/dt><dd[^>]*>.*?<\/dd>/s.exec(html)?.[0] ?? ''
  expect(row).toMatch(/>\d+(\.\d+)?<.*>MiB</s)
  expect(html).toContain('holdfast_process_resident_bytes')
  expect(html).toMatch(/<meta name="robots" content="noindex/)
})

test('a page asks for little: 25 requests at first load, 4 a navigation', async ({
  page,
  browser,
  console: running,
}) => {
  const context = await browser.newContext({
    baseURL: running.url,
    storageState: await page.context().storageState(),
  })
  for (const path of [
    '/',
    '/database',
    '/database/queries',
    '/cache',
    '/security',
    '/migration',
    '/system',
  ]) {
    const fresh = await context.newPage()
    // Scripts are asked for as by somebody who was never here.
    const cdp = await context.newCDPSession(fresh)
    await cdp.send('Network.setCacheDisabled', { cacheDisabled: true })
    const asked = requestsOf(fresh)
    await fresh.goto(path)
    await expect.poll(() => asked.filter((url) => url.includes('system.live'))).toHaveLength(1)
    await fresh.waitForLoadState('load')
    expect(asked.length, `${path}: ${asked.join('\n')}`).toBeLessThanOrEqual(25)
    expect(asked.filter((url) => url.includes('security.events.histogram'))).toEqual([])
    await fresh.close()
  }

  const visited = await context.newPage()
  const first = requestsOf(visited)
  await visited.goto('/account')
  await expect.poll(() => first.filter((url) => url.includes('system.live'))).toHaveLength(1)
  // What the page that is left asks for as time goes on is no part of the next one.
  await control(visited, 'Live').click()
  await expect(control(visited, 'Paused')).toBeVisible()
  // What a page asks for itself, once it is there, is waited for: it would count for the next page otherwise.
  for (const [area, own] of [
    ['Overview', '_rsc'],
    ['Database', 'system.queryTimes'],
    ['Security', '_rsc'],
    ['System', '_rsc'],
  ] as const) {
    const asked = requestsOf(visited)
    await visited
      .getByRole('navigation', { name: 'Areas' })
      .getByRole('link', { name: area, exact: true })
      .click()
    await expect(visited.getByRole('heading', { level: 1, name: area })).toBeVisible()
    await expect(visited.locator('main [aria-busy="true"]')).toHaveCount(0)
    await expect.poll(() => asked.some((url) => url.includes(own)), { message: area }).toBe(true)
    expect(asked.length, `${area}: ${asked.join('\n')}`).toBeLessThanOrEqual(4)
  }
  await context.close()
})

/**
 * The addresses that a page asks for from now on. What asks for news every few seconds is no part of a page: the heat
 * map counts once, and not when a slow machine is told its news meanwhile.
 */
function requestsOf(page: Page): string[] {
  const asked: string[] = []
  const isNews = (url: string) =>
    /trpc\/database\.topology\?/.test(url) ||
    (/trpc\/system\.queryTimes\?/.test(url) && asked.some((other) => other.includes('system.queryTimes')))
  page.on('request', (request) => {
    if (!isNews(request.url())) asked.push(request.url())
  })
  return asked
}

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

test('twelve tabs share one stream, and another goes on when the first is closed', async ({
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
  for (let more = 0; more < 10; more++) await (await context.newPage()).goto('/account')
  await second.bringToFront()
  await expect.poll(() => streams.length).toBe(1)

  await page.close()
  await expect.poll(() => streams.length).toBe(2)
  expect(decodeURIComponent(streams[1] ?? '')).toMatch(/"lastEventId":"[0-9a-f]+-\d+"/)
  const taken = await measuredAt(second, 'Heap')
  await expect.poll(() => measuredAt(second, 'Heap')).toBeGreaterThan(taken + 2_000)
})

test('the overview leads to what is not hardened, and each line of it to where it is done', async ({
  page,
  context,
}) => {
  await page.getByRole('link', { name: '1 of 7 hardened' }).click()
  await expect(page.getByRole('heading', { level: 1, name: 'Hardening' })).toBeVisible()
  const line = (name: string) =>
    page.getByRole('listitem').filter({ has: page.getByRole('heading', { name }) })
  await expect(page.getByRole('list', { name: 'What is hardened' }).getByRole('listitem')).toHaveCount(7)
  await expect(line('Second factor').getByText('Done')).toBeVisible()
  await expect(line('Second factor')).toContainText('You prove yourself by a passkey.')

  await context.grantPermissions(['clipboard-read', 'clipboard-write'])
  await line('TLS').getByRole('button', { name: 'What to set' }).click()
  await line('TLS').getByRole('button', { name: 'Copy' }).click()
  await expect
    .poll(() => page.evaluate(() => navigator.clipboard.readText()))
    .toBe('HOLDFAST_URL=https://holdfast.example.org\nTRUSTED_PROXIES=127.0.0.1')
  await line('PostgreSQL').getByRole('link', { name: 'Move to PostgreSQL' }).click()
  await expect(page.getByRole('heading', { level: 1, name: 'New migration' })).toBeVisible()

  await page.goto('/')
  const overview = page.getByRole('region', { name: 'Hardening' })
  await overview.getByRole('button', { name: 'Put away' }).click()
  await expect(overview).toBeHidden()
  await page.getByRole('button', { name: 'Undo' }).click()
  await expect(overview).toBeVisible()
  await overview.getByRole('button', { name: 'Put away' }).click()
  await expect(overview).toBeHidden()
  await page.reload()
  await expect(page.getByRole('region', { name: 'Hardening' })).toHaveCount(0)
  // Something else is open than what was put away.
  await context.addCookies([{ name: 'hardening', value: 'redis.tls', url: page.url() }])
  await page.reload()
  await expect(overview).toBeVisible()
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
