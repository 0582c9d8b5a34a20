import { join } from 'node:path'
import Database from 'better-sqlite3'
import { expectAccessible, expectAccessibleAtBothWidths } from './accessible'
import { asFirstAdmin, consoleTest, expect, held, keepSignedIn, withPasskey } from './fixtures'
import { program } from './program'

const test = consoleTest()

// axe looks at long tables here.
test.describe.configure({ mode: 'serial', timeout: 240_000 })

test.beforeEach(async ({ page, console: running }) => {
  await asFirstAdmin(page, running)
})
test.afterEach(async ({ context, console: { url } }) => keepSignedIn(context, url))

test('who asks for accounts that do not exist is found, with evidence, and put away with a note', async ({
  page,
  console: running,
}) => {
  await page.goto('/security/findings')
  const { post } = program(running)
  for (let at = 0; at < 12; at++) {
    const { status } = await post('/api/auth/login', { email: `nobody${at}@example.org`, password: 'guess' })
    expect(status).toBe(401)
  }
  const findings = page.getByRole('table', { name: 'Findings' })
  const row = findings.getByRole('row', { name: /Enumeration/ })
  await expect(row).toContainText('12 accounts that do not exist')
  await expect(row).toContainText('Medium')
  const ago = row.locator('time').last()
  await expect(ago).toHaveText(/ago$|^now$/)
  await expect(ago).toHaveAttribute('title', /^\d{4}-\d\d-\d\dT[\d:.]+Z · /)
  await expectAccessibleAtBothWidths(page)
  await row.getByText('Enumeration').click()
  const drawer = page.getByRole('dialog')
  await expect(drawer.getByRole('link', { name: 'authn_login_fail' })).toHaveCount(12)
  await expectAccessible(page)

  const asked = await held(page, /findings\.acknowledge/)
  const acknowledge = drawer.getByRole('button', { name: 'Acknowledge', exact: true })
  const undo = page.getByRole('region', { name: 'Messages' }).getByRole('button', { name: 'Undo' })
  await drawer.getByLabel('Note').fill('Too early')
  await acknowledge.click()
  // Shown before the console has answered.
  await expect(drawer.getByText('Acknowledged', { exact: true }).first()).toBeVisible()
  await expect(undo).toBeHidden()
  asked.answer()
  await expect(undo).toBeVisible()
  await expectAccessible(page)
  await undo.click()
  await expect(acknowledge).toBeEnabled()
  await page.reload()
  await expect(acknowledge).toBeEnabled()
  await expect(drawer.getByText('Too early')).toHaveCount(0)
  await acknowledge.click()
  expect(await undo.evaluate(untilGone)).toBeGreaterThan(7_500)

  await drawer.getByLabel('Note').fill('A test of ours')
  await drawer.getByRole('button', { name: 'Close', exact: true }).last().click()
  await expect(drawer.getByText('A test of ours')).toBeVisible()
  await expect(drawer.getByRole('button', { name: 'Reopen' })).toBeVisible()
  await page.keyboard.press('Escape')
  await expect(row).toBeHidden()
  await expect(page.getByText('No finding is open')).toBeVisible()
  await page.getByLabel('Severity').first().selectOption({ label: 'Low' })
  await expect(page.getByText('No finding fits the filter')).toBeVisible()
})

/** How long an element is still there, ms. */
function untilGone(element: Element): Promise<number> {
  const since = performance.now()
  return new Promise((resolve) => {
    const watch = new MutationObserver(() => {
      if (element.isConnected) return
      watch.disconnect()
      resolve(performance.now() - since)
    })
    watch.observe(document, { childList: true, subtree: true })
  })
}

test('a rule is tried on the last days, set dry, and says so', async ({ page, console: running }) => {
  await page.goto('/security/findings')
  const rules = page.getByRole('table', { name: 'Rules' })
  await rules.getByText('Brute force').click()
  const drawer = page.getByRole('dialog')
  await drawer.getByLabel('Failed sign-ins').fill('3')
  await drawer.getByRole('button', { name: 'Try on the last 7 days' }).click()
  await expect(drawer.getByText(/It would have found nothing/)).toBeVisible()
  await expectAccessible(page)
  await drawer.getByLabel('Dry run').check()
  await drawer.getByRole('button', { name: 'Save' }).click()
  await withPasskey(page, running.url)
  await page.getByRole('dialog').last().getByRole('button', { name: 'Save the rule' }).click()
  await expect(rules.getByRole('row', { name: /Brute force/ })).toContainText('Dry run')
})

test('a session in doubt reaches nothing but its account until a passkey is used', async ({
  page,
  console: running,
}) => {
  const store = new Database(join(running.dataDir, 'holdfast.db'))
  store.prepare('UPDATE sessions SET doubted_at = ? WHERE ended_at IS NULL').run(Date.now())
  store.close()
  await page.goto('/database')
  await page.waitForURL((url) => url.pathname === '/fresh-factor')
  await expect(page.getByRole('heading', { name: 'Confirm that it is you' })).toBeVisible()
  await expectAccessibleAtBothWidths(page)
  await withPasskey(page, running.url)
  await page.getByRole('button', { name: 'Use a passkey' }).click()
  await page.waitForURL((url) => url.pathname === '/database')
})
