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
