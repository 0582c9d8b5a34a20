import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { BrowserContext, Locator } from '@playwright/test'
import Database from 'better-sqlite3'
import { expectAccessible, expectAccessibleAtBothWidths } from './accessible'
import { asFirstAdmin, consoleTest, expect, held, keepSignedIn } from './fixtures'
import { openAlive } from './live'

const test = consoleTest()

// Each worker starts a console of its own and takes its part of the pages.
test.describe.configure({ mode: 'parallel' })

/** Every page of the console with the heading by which it is known. */
const PAGES = {
  '/': 'Overview',
  '/database': 'Database',
  '/database?range=1h': 'Database',
  '/database/sessions': 'Sessions',
  // A few statements look like all of them do, over which axe takes a quarter of a minute.
  '/database/queries?text=session': 'Queries',
  '/database/indexes': 'Index advice',
  '/database/tables': 'Tables',
  '/database/replicas': 'Replicas',
  '/database/test': 'Connection test',
  '/cache': 'Cache',
  '/cache/keys': 'Namespaces and keys',
  '/cache/nodes': 'Nodes',
  '/cache/slow-log': 'Slow log',
  '/cache/memory': 'Memory',
  '/cache/outbound': 'Outbound HTTP',
  '/security': 'Security',
  '/security/activity': 'Activity',
  '/security/findings': 'Findings',
  '/security/alerts': 'Alerts',
  '/security/blocks': 'Blocks and limits',
  '/security/users': 'Users and roles',
  '/security/sessions': 'Sessions',
  '/migration': 'Migration',
  '/migration/new': 'New migration',
  '/account': 'Account',
  '/system': 'System',
  '/system/hardening': 'Hardening',
  '/system/configuration': 'Configuration',
  '/system/api-keys': 'API keys',
  '/system/signing-keys': 'Signing keys',
  '/system/api': 'API reference',
  '/system/api/migration.create': 'POST /api/infrastructure/migration/plan',
  '/nowhere': 'No page has this address',
}

let context: BrowserContext

test.beforeAll('the first admin', async ({ browser, console }) => {
  context = await browser.newContext({ baseURL: console.url })
  const page = await context.newPage()
  // One worker may take both halves of the pages: it has an admin then.
  await asFirstAdmin(page, console)
  await page.close()
})
test.afterAll(async ({ console }) => {
  await keepSignedIn(context, console.url)
  await context.close()
})

for (const [path, heading] of Object.entries(PAGES)) {
  test(`${path} is accessible in both themes, wide and narrow, and asks no other address`, async ({
    console,
  }) => {
    // One session for all pages: a sign-in takes as long as a page's checks.
    const page = await context.newPage()
    const elsewhere: string[] = []
    const violations: string[] = []
    page.on('request', (request) => {
      if (!request.url().startsWith(console.url)) elsewhere.push(request.url())
    })
    page.on('console', (message) => {
      if (/content security policy/i.test(message.text())) violations.push(message.text())
    })
    await page.goto(path)
    await expect(page.getByRole('heading', { level: 1, name: heading })).toBeVisible()
    await expect(page.locator('meta[name="robots"]').first()).toHaveAttribute('content', /noindex/)
    await expectAccessibleAtBothWidths(page)
    expect({ elsewhere, violations }).toEqual({ elsewhere: [], violations: [] })
    await page.close()
  })
}

test('a double click makes one change, and what goes wrong stays in its dialog', async () => {
  const page = await context.newPage()
  const asked: string[] = []
  let broken = true
  let answer = () => {}
  const answered = new Promise<void>((resolve) => {
    answer = resolve
  })
  await page.route(/account\.setName/, async (route) => {
    if (broken) return route.abort()
    asked.push(route.request().url())
    await answered
    return route.continue()
  })
  await page.goto('/account?do=name')
  const dialog = page.getByRole('dialog')
  const save = dialog.getByRole('button', { name: 'Save' })
  await dialog.getByLabel('Name').fill('Ana Anders')
  await save.click()
  await expect(dialog.getByRole('alert')).toContainText('cannot be reached')
  await expect(dialog.getByLabel('Name')).toHaveValue('Ana Anders')
  await expectAccessible(page)
  broken = false
  await save.dblclick()
  await expect(save).toHaveAttribute('aria-busy', 'true')
  answer()
  await expect(dialog).toBeHidden()
  await expect(page.getByText('Your name is changed.')).toBeVisible()
  expect(asked).toHaveLength(1)
  await page.close()
})

test('single keys go to pages and tell of themselves, until they are switched off', async () => {
  const page = await context.newPage()
  const shortcuts = page.getByRole('dialog', { name: 'Keyboard shortcuts' })
  await openAlive(page, '/system/hardening')
  await page.keyboard.press('?')
  await expect(shortcuts).toBeVisible()
  await expectAccessible(page)
  await page.keyboard.press('Escape')
  await expect(shortcuts).toBeHidden()
  await page.keyboard.press('g')
  await page.keyboard.press('c')
  await expect(page.getByRole('heading', { level: 1, name: 'Cache' })).toBeVisible()
  await page.keyboard.press('?')
  await shortcuts.getByRole('checkbox', { name: 'Single-key shortcuts' }).uncheck()
  await page.keyboard.press('Escape')
  await page.keyboard.press('?')
  // Keys are heard in their order: what opens now was pressed after the one that does nothing any more.
  await page.keyboard.press('Control+k')
  await expect(page.getByRole('dialog', { name: 'Search and commands' })).toBeVisible()
  await expect(shortcuts).toBeHidden()
  await page.evaluate(() => localStorage.clear())
  await page.close()
})

test('who wants little motion gets none, and forced colours still tell what is chosen and in focus', async () => {
  const page = await context.newPage()
  await openAlive(page, '/system/hardening')
  await page.keyboard.press('Control+k')
  const palette = page.getByRole('dialog', { name: 'Search and commands' })
  await expect(palette.getByRole('option').first()).toBeVisible()
  const duration = () => palette.evaluate((element) => getComputedStyle(element).animationDuration)
  expect(await duration()).toBe('0.14s')
  await page.emulateMedia({ reducedMotion: 'reduce', forcedColors: 'active' })
  expect(await duration()).toBe('0.001s')

  const edge = (locator: Locator) => locator.evaluate((element) => getComputedStyle(element).borderLeftColor)
  const options = palette.getByRole('option')
  expect(await edge(options.nth(0))).not.toBe(await edge(options.nth(1)))
  await page.keyboard.press('Escape')
  const areas = page.getByRole('navigation', { name: 'Areas' })
  const current = areas.getByRole('link', { name: 'System', exact: true })
  expect(await edge(current)).not.toBe(await edge(areas.getByRole('link', { name: 'Cache', exact: true })))
  await current.focus()
  await page.keyboard.press('Shift+Tab')
  const focused = page.locator(':focus')
  await expect(focused).toHaveCSS('outline-style', 'solid')
  await expectAccessible(page)
  await page.close()
})

test('the rows of a table are walked and opened by keys, and what was left has the focus again', async () => {
  const page = await context.newPage()
  await page.goto('/security')
  const opening = page.getByRole('table', { name: 'Audit events' }).locator('[data-row-open]')
  await expect(opening.nth(1)).toBeVisible()
  await opening.first().focus()
  await page.keyboard.press('ArrowDown')
  await expect(opening.nth(1)).toBeFocused()
  await page.keyboard.press('Enter')
  await expect(page.getByRole('dialog')).toBeVisible()
  await expect(page).toHaveURL(/[?&]event=\d+/)
  await page.keyboard.press('Escape')
  await expect(page.getByRole('dialog')).toBeHidden()
  await expect(page).not.toHaveURL(/event=/)
  await expect(opening.nth(1)).toBeFocused()
  await page.close()
})

test('a chart has its title, a sentence, a table and a file, all in the zone that is shown', async ({
  console,
}) => {
  const page = await context.newPage()
  await context.addCookies([{ name: 'zone', value: encodeURIComponent('Asia/Tokyo'), url: console.url }])
  await page.goto('/system')
  const chart = page.getByRole('figure', { name: 'Resident memory' })
  await expect(chart).toHaveAccessibleDescription(/\w.*\.$/)
  await expect(page.getByRole('button', { name: 'Time zone: Asia/Tokyo' })).toBeVisible()
  const zones = await page
    .locator('time')
    .evaluateAll((times) => times.map((time) => /\w+\/\w+$|UTC$/.exec(time.getAttribute('title') ?? '')?.[0]))
  expect(new Set(zones)).toEqual(new Set(['Asia/Tokyo']))
  await chart.getByRole('button', { name: 'Table' }).click()
  const table = chart.getByRole('table', { name: /times in Asia\/Tokyo$/ })
  await expect(table.getByRole('row').nth(1)).toBeVisible()
  await expectAccessible(page)
  const download = page.waitForEvent('download')
  await chart.getByRole('button', { name: 'Download Resident memory as CSV' }).click()
  const csv = readFileSync(await (await download).path(), 'utf8')
  expect(csv.split('\n')[0]).toContain('Asia/Tokyo')
  await context.clearCookies({ name: 'zone' })
  await page.close()
})

test('on a slow line the values that are there stay until others come', async () => {
  const page = await context.newPage()
  await page.goto('/security')
  const rows = page.getByRole('table', { name: 'Audit events' }).getByRole('row')
  await expect(rows.nth(1)).toBeVisible()
  const line = await context.newCDPSession(page)
  const slow = { offline: false, latency: 1_500, downloadThroughput: 50_000, uploadThroughput: 50_000 }
  await line.send('Network.emulateNetworkConditions', slow)
  const asked = page.waitForRequest(/security\.events\.list.*nobody-here/)
  let come = false
  const came = page.waitForResponse(/security\.events\.list.*nobody-here/).then(() => {
    come = true
  })
  await page.getByRole('search', { name: 'Filter of events' }).getByLabel('Words').fill('nobody-here')
  await page.keyboard.press('Enter')
  await asked
  const [shown, late] = [await rows.count(), come]
  expect({ shown: shown > 1, late }).toEqual({ shown: true, late: false })
  await came
  await expect(page.getByText(/^No event of any time/)).toBeVisible()
  await page.close()
})

test('what is on its way has its place: an outline after 150 ms, and nothing moves when it is there', async () => {
  const page = await context.newPage()
  const range = await held(page, /system\.range/)
  await page.goto('/database')
  const below = page.locator('main h2').first()
  const topOf = (locator: Locator) => locator.evaluate((element) => element.getBoundingClientRect().top)
  const heightOf = (locator: Locator) => locator.evaluate((element) => element.getBoundingClientRect().height)
  const label = 'Reading Queries per second'
  const late = page.evaluate(untilSeen, label)
  await page.getByRole('button', { name: /^Time range/ }).click()
  await page.getByRole('menuitemradio', { name: 'Last hour' }).click()
  expect(await late).toBeGreaterThan(149)
  const outline = page.getByRole('status').filter({ hasText: label })
  const before = { height: await heightOf(outline), below: await topOf(below) }
  range.answer()
  const chart = page.getByRole('figure', { name: 'Queries per second' })
  await expect(chart).toBeVisible()
  await expect(outline).toBeHidden()
  expect({ height: await heightOf(chart), below: await topOf(below) }).toEqual(before)
  await page.close()
})

/** How long an outline is there before it is seen, ms. */
function untilSeen(label: string): Promise<number> {
  return new Promise((resolve) => {
    let since: number | undefined
    const look = (at: number) => {
      const outlines = [...document.querySelectorAll('[role="status"]')]
      const outline = outlines.find(({ textContent }) => textContent === label)
      if (outline) since ??= at
      if (outline && getComputedStyle(outline).visibility === 'visible') resolve(at - (since ?? at))
      else requestAnimationFrame(look)
    }
    requestAnimationFrame(look)
  })
}

test('charts that come together are drawn one after the other', async () => {
  const page = await context.newPage()
  await page.addInitScript(() => {
    const drawn: number[] = []
    Object.assign(window, { drawn })
    let before = 0
    new MutationObserver(() => {
      const count = document.querySelectorAll('.history-plot').length
      if (count > before) drawn.push(count - before)
      before = count
    }).observe(document, { subtree: true, childList: true })
  })
  await page.goto('/database?range=1h')
  const drawn = () => page.evaluate(() => (window as unknown as { drawn: number[] }).drawn)
  // A console that has just started stores its first minute before there is a chart.
  await expect.poll(async () => (await drawn()).length, { timeout: 90_000 }).toBeGreaterThan(1)
  expect(new Set(await drawn())).toEqual(new Set([1]))
  await page.close()
})

test('an age that grows breaks no line, however wide the page is', async () => {
  const page = await context.newPage()
  await page.goto('/database/queries')
  const header = page.getByRole('main').locator('header')
  await expect(header.locator('time')).toHaveCount(2)
  for (let width = 320; width <= 1440; width += 40) {
    await page.setViewportSize({ width, height: 900 })
    const heights = await header.evaluate((element) =>
      ['just now', '1 s ago', '59 min ago'].map((age) => {
        const said = [...element.querySelectorAll('time')].at(-1)?.firstChild
        if (!said) throw new Error('The header tells no age.')
        said.nodeValue = age
        return element.clientHeight
      }),
    )
    expect(new Set(heights).size, `${width} px: ${heights}`).toBe(1)
  }
  await page.close()
})

test('Back brings the sort and the open row back', async () => {
  const page = await context.newPage()
  await page.goto('/database/queries?text=session')
  const table = page.getByRole('table', { name: 'Statements' })
  const calls = table.getByRole('columnheader', { name: 'Calls' })
  await calls.getByRole('button').click()
  await calls.getByRole('button').click()
  await expect(calls).toHaveAttribute('aria-sort', 'ascending')
  await table.locator('[data-row-open]').first().click()
  const drawer = page.getByRole('dialog')
  await expect(drawer).toBeVisible()
  const address = page.url()
  await page.keyboard.press('Control+k')
  await expect(page.getByRole('combobox', { name: 'Search and commands' })).toBeFocused()
  await page.keyboard.type('account')
  await page.keyboard.press('Enter')
  await expect(page.getByRole('heading', { level: 1, name: 'Account' })).toBeVisible()

  await page.goBack()
  await expect(drawer).toBeVisible()
  expect(page.url()).toBe(address)
  await expect(calls).toHaveAttribute('aria-sort', 'ascending')
  await page.goBack()
  await expect(drawer).toBeHidden()
  await expect(calls).toHaveAttribute('aria-sort', 'ascending')
  await page.close()
})

test('a page that cannot be read says so with code and request id, and can be tried again', async ({
  console,
}) => {
  await context.grantPermissions(['clipboard-read', 'clipboard-write'])
  const page = await context.newPage()
  const hardening = await held(page, /system\.hardening/)
  const store = new Database(join(console.dataDir, 'holdfast.db'))
  const alert = page.getByRole('alert').filter({ hasText: 'Hardening: ' })
  try {
    store.exec('ALTER TABLE alert_channels RENAME TO alert_channels_away')
    await page.goto('/system/hardening')
    await expect(page.getByRole('status').filter({ hasText: 'Looking at what is hardened' })).toBeVisible()
    await expectAccessibleAtBothWidths(page)
    hardening.answer()
    await expect(alert).toBeVisible()
    await expectAccessibleAtBothWidths(page)
    await alert.getByRole('button', { name: 'Copy code and request id' }).click()
    await expect
      .poll(() => page.evaluate(() => navigator.clipboard.readText()))
      .toMatch(/^INTERNAL · request [\w-]+$/)
  } finally {
    store.exec('ALTER TABLE alert_channels_away RENAME TO alert_channels')
    store.close()
  }
  await alert.getByRole('button', { name: 'Try again' }).click()
  await expect(page.getByRole('list', { name: 'What is hardened' }).getByRole('listitem')).toHaveCount(7)
  await page.close()
})
