import { readFileSync } from 'node:fs'
import { expectAccessibleAtBothWidths } from './accessible'
import { asFirstAdmin, consoleTest, expect, keepSignedIn } from './fixtures'

const test = consoleTest()
test.describe.configure({ mode: 'serial' })

test.beforeEach(async ({ page, console: running }) => {
  await asFirstAdmin(page, running)
})
test.afterEach(async ({ context, console: running }) => keepSignedIn(context, running.url))

test('the file is shown with its log, its pages and its writer, and can be kept in order', async ({
  page,
}) => {
  await page.goto('/database')
  await expect(page.locator('#main').getByText('SQLite 3.')).toBeVisible()
  for (const label of ['Write-ahead log', 'Pages', 'Writer']) {
    await expect(page.locator('dt', { hasText: label }).first()).toBeVisible()
  }
  await expect(page.getByRole('heading', { name: 'Limits' })).toHaveCount(0)
  await page.getByRole('button', { name: 'Fold the log' }).click()
  await expect(page.getByText(/^Moved \d+ pages? of the WAL into the file/)).toBeVisible()
  await page.getByRole('button', { name: 'Optimise' }).click()
  await expect(page.getByText(/statistics.* It took /)).toBeVisible()
})

test('how long statements took is seen over time, told in figures, and had as a table and CSV', async ({
  page,
}) => {
  await page.goto('/database')
  const map = page.getByRole('figure', { name: 'Statements by the time they took' })
  await expect(map).toContainText(/Half of [\d,]+ statements took up to [\d.]+ ms/)
  const cell = map.getByRole('slider', { name: 'Cell, Statements by the time they took' })
  await cell.focus()
  await page.keyboard.press('ArrowUp')
  await expect(cell).toHaveAttribute('aria-valuetext', /: [\d.]+ m?s to [\d.]+ m?s: \d+ of \d+ statements$/)
  const said = await cell.getAttribute('aria-valuetext')
  await expect(map).toContainText(said ?? '')
  await page.keyboard.press('ArrowUp')
  await expect(cell).not.toHaveAttribute('aria-valuetext', said ?? '')
  await map.getByRole('button', { name: 'Table' }).click()
  await expect(map.getByRole('columnheader', { name: / to / }).first()).toBeVisible()
  const csv = page.waitForEvent('download')
  await map.getByRole('button', { name: 'Download Statements by the time they took as CSV' }).click()
  expect(readFileSync(await (await csv).path(), 'utf8')).toMatch(
    /^time \([^)]+\),unix_ms(,[\d.]+ m?s to [\d.]+ m?s)+\r\n/,
  )
  await expectAccessibleAtBothWidths(page)

  await page.goto('/database?range=24h')
  await expect(map).toContainText('Half of')
  await page.goto('/database?from=1700000000000&to=1700003600000')
  await expect(map).toContainText('No history of this time is stored')
})

test('sessions and replicas say that SQLite has none', async ({ page }) => {
  await page.goto('/database/sessions')
  await expect(page.getByText('There are no sessions on SQLite')).toBeVisible()
  await expect(page.getByRole('table')).toHaveCount(0)
  await page.goto('/database/replicas')
  await expect(page.getByText('SQLite has no replicas')).toBeVisible()
})

test('every page of the database is one click away', async ({ page }) => {
  await page.goto('/database')
  const pages = page.getByRole('navigation', { name: 'Database pages' })
  for (const [label, path] of [
    ['Sessions', '/database/sessions'],
    ['Queries', '/database/queries'],
    ['Index advice', '/database/indexes'],
    ['Tables', '/database/tables'],
    ['Replicas', '/database/replicas'],
    ['Connection test', '/database/test'],
    ['Pools', '/database'],
  ] as const) {
    await pages.getByRole('link', { name: label, exact: true }).click()
    await expect(page).toHaveURL(path)
    await expect(pages.getByRole('link', { name: label, exact: true })).toHaveAttribute(
      'aria-current',
      'page',
    )
  }
})
