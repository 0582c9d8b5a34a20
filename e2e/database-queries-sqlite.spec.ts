import { asFirstAdmin, consoleTest, expect, keepSignedIn } from './fixtures'

const test = consoleTest()
test.describe.configure({ mode: 'serial' })

test.beforeEach(async ({ page, console: running }) => {
  await asFirstAdmin(page, running)
})
test.afterEach(async ({ context, console: running }) => keepSignedIn(context, running.url))

test('what the console itself sent to SQLite is ranked, with plans', async ({ page }) => {
  await page.goto('/database/queries')
  await expect(page.getByText('What this console sent')).toBeVisible()
  await page.getByLabel('Kind').selectOption('read')
  await page.getByLabel('Text of the statement').fill('users')
  const statements = page.getByRole('table', { name: 'Statements', exact: true })
  await statements.getByRole('rowheader').first().getByRole('button').click()
  const plan = page.getByRole('dialog').getByRole('region', { name: 'Plan of the statement' })
  await expect(plan).toContainText(/SEARCH|SCAN/)
})

test('tables of SQLite show what a file can tell', async ({ page }) => {
  await page.goto('/database/tables')
  const tables = page.getByRole('table', { name: 'Tables', exact: true })
  await expect(tables.getByRole('rowheader', { name: 'audit_events' })).toBeVisible()
  await expect(tables.getByRole('columnheader', { name: 'Dead rows' })).toHaveCount(0)
  await expect(page.getByLabel('Attention')).toHaveCount(0)
  await tables.getByRole('button', { name: 'audit_events' }).click()
  await expect(
    page
      .getByRole('dialog')
      .getByText(/^CREATE (UNIQUE )?INDEX/i)
      .first(),
  ).toBeVisible()
})

test('the advice says why there is none', async ({ page }) => {
  await page.goto('/database/indexes')
  await page.getByRole('button', { name: 'Look again' }).click()
  await expect(page.getByText('No index is missing')).toBeVisible()
  await expect(page.getByText(/Costs by schema copy/)).toBeVisible()
  await page.getByText(/^Why no index is advised for/).click()
  await expect(
    page.getByRole('table', { name: 'Statements without advice, with the reason' }).getByRole('row').nth(1),
  ).toBeVisible()
  await expect(page.getByText('Nothing was made or dropped from here yet')).toBeVisible()
})
