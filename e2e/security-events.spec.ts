import { join } from 'node:path'
import type { Page } from '@playwright/test'
import Database from 'better-sqlite3'
import { expectAccessible, expectAccessibleAtBothWidths } from './accessible'
import { admin, asFirstAdmin, consoleTest, expect, keepSignedIn } from './fixtures'
import { program } from './program'
import type { RunningConsole } from './server'

const test = consoleTest()

test.describe.configure({ mode: 'serial' })

test.beforeEach(async ({ page, console: running }) => {
  await asFirstAdmin(page, running)
})
test.afterEach(async ({ context, console: running }) => {
  await keepSignedIn(context, running.url)
})

const events = (page: Page) => page.getByRole('table', { name: 'Audit events' })
const rows = (page: Page) => events(page).getByRole('row')
const parameter = (page: Page, name: string) => new URL(page.url()).searchParams.get(name)

/** Somebody else's sign-in that fails. */
async function fail(running: RunningConsole, email: string): Promise<void> {
  const { status } = await program(running).call('auth.signIn', { email, password: 'not the password' })
  expect(status).toBe(401)
}

/** The pointer where it holds nothing. */
const pointAway = (page: Page) => page.mouse.move(2, 2)

test('filters stand in the address: Back brings the one before, a chip takes one away', async ({
  page,
  console: running,
}) => {
  await fail(running, 'mallory@example.org')
  await page.goto('/security')
  await expect(rows(page).filter({ hasText: 'mallory@example.org' })).toHaveCount(1)
  const filter = page.getByRole('search', { name: 'Filter of events' })
  await filter.getByLabel('Actor').fill('MALLORY@example.org')
  await filter.getByLabel('Actor').press('Enter')
  await expect(page).toHaveURL(/actor=MALLORY/)
  await expect(rows(page)).toHaveCount(2)
  await expect(page.getByText('1 event', { exact: true })).toBeVisible()

  await filter.getByLabel('Outcome').selectOption({ label: 'Success' })
  await expect(page).toHaveURL(/outcomes=success/)
  await expect(page.getByText('No event of any time fits the filter')).toBeVisible()
  await expectAccessibleAtBothWidths(page)

  await page.goBack()
  await expect(page).not.toHaveURL(/outcomes/)
  await expect(filter.getByLabel('Outcome')).toHaveValue('')
  await expect(rows(page)).toHaveCount(2)
  await page.getByRole('button', { name: 'Remove Actor MALLORY@example.org' }).click()
  await expect(page).not.toHaveURL(/actor/)
  await expect(rows(page).filter({ hasText: 'sys_startup' })).toHaveCount(1)

  await filter.getByLabel('Event').fill('authn_*')
  await filter.getByLabel('Event').press('Enter')
  await filter.getByLabel('Event').fill('user_created')
  await filter.getByLabel('Event').press('Enter')
  await expect(page.getByRole('list', { name: 'Filtered by' }).getByRole('listitem')).toHaveCount(2)
  await expect(rows(page).filter({ hasText: 'sys_startup' })).toHaveCount(0)
  await expect(rows(page).filter({ hasText: 'user_created' })).toHaveCount(1)
  await page.reload()
  await expect(rows(page).filter({ hasText: 'user_created' })).toHaveCount(1)
  await page.getByRole('button', { name: 'Clear the filter' }).click()
  await expect(page).toHaveURL(/\/security$/)
})

test('an address that is none is refused in words, and the way back stays', async ({ page }) => {
  await page.goto('/security?address=nowhere')
  await expect(page.getByRole('alert').filter({ hasText: 'enter an address or a network' })).not.toHaveCount(
    0,
  )
  await page.getByRole('button', { name: 'Remove Address nowhere' }).click()
  await expect(rows(page).filter({ hasText: 'sys_startup' })).toHaveCount(1)
})

test('a window is brushed by the keyboard and by a drag, and left again', async ({ page }) => {
  await page.goto('/security')
  const bar = page.getByRole('slider', { name: 'Bar, Events by outcome' })
  await bar.focus()
  await bar.press('End')
  await bar.press('Enter')
  await bar.press('ArrowLeft')
  await bar.press('Enter')
  await expect(page).toHaveURL(/from=\d+&to=\d+/)
  await expect(page.getByText('A window that has ended, the latest first')).toBeVisible()
  const brushed = Number(parameter(page, 'to')) - Number(parameter(page, 'from'))
  expect(brushed).toBe(2 * 15 * 60_000)
  await expect(rows(page).filter({ hasText: 'sys_startup' })).toHaveCount(1)
  await page.getByRole('button', { name: 'Leave the window' }).click()
  await expect(page).not.toHaveURL(/from=/)

  const box = await bar.boundingBox()
  if (!box) throw new Error('The chart has no place.')
  await page.mouse.move(box.x + box.width * 0.25, box.y + 60)
  await page.mouse.down()
  await page.mouse.move(box.x + box.width * 0.5, box.y + 60, { steps: 4 })
  await page.mouse.up()
  await expect(page).toHaveURL(/from=\d+&to=\d+/)
  await expect(page.getByText('Nothing happened in this time')).toBeVisible()
  await page.getByRole('button', { name: 'Show the day around the last one' }).click()
  await expect(rows(page).filter({ hasText: 'sys_startup' })).toHaveCount(1)
  await page.goBack()
  await page.goBack()
  await expect(page).not.toHaveURL(/from=/)
})

test('new events come by themselves; pointed at or scrolled, the list stands still and counts them', async ({
  page,
  console: running,
}) => {
  await page.goto('/security')
  await pointAway(page)
  await expect(page.getByText('Following, the latest first')).toBeVisible()
  await fail(running, 'first@example.org')
  await expect(rows(page).filter({ hasText: 'first@example.org' })).toHaveCount(1)

  await rows(page).nth(2).hover()
  await expect(page.getByText('Standing still while you point at it')).toBeVisible()
  await fail(running, 'second@example.org')
  await fail(running, 'third@example.org')
  await expect(page.getByRole('button', { name: '2 new' })).toBeVisible()
  await expect(rows(page).filter({ hasText: 'third@example.org' })).toHaveCount(0)
  await page.getByRole('button', { name: '2 new' }).click()
  await pointAway(page)
  await expect(rows(page).filter({ hasText: 'third@example.org' })).toHaveCount(1)
  await expect(page.getByText('Following, the latest first')).toBeVisible()

  await rows(page)
    .nth(1)
    .evaluate((row) => document.getSelection()?.selectAllChildren(row))
  await expect(page.getByText('Standing still while text is selected')).toBeVisible()
  await page.evaluate(() => document.getSelection()?.empty())
  await expect(page.getByText('Following, the latest first')).toBeVisible()

  await page.setViewportSize({ width: 1440, height: 420 })
  await page.evaluate(() => window.scrollTo(0, document.body.scrollHeight))
  await expect(page.getByText('Standing still: you have scrolled down')).toHaveCount(1)
  await fail(running, 'fourth@example.org')
  await page.getByRole('button', { name: '1 new' }).click()
  await expect(rows(page).filter({ hasText: 'fourth@example.org' })).toBeInViewport()
})

test('an event opens in a drawer with its own address; its values filter', async ({ page }) => {
  await page.goto('/security')
  await rows(page)
    .filter({ hasText: 'user_created' })
    .getByRole('button', { name: /User made/ })
    .click()
  await expect(page).toHaveURL(/event=\d+/)
  const drawer = page.getByRole('dialog')
  await expect(drawer.getByRole('heading', { name: 'User made' })).toBeVisible()
  await expect(drawer.getByRole('list', { name: 'By the same actor' })).toContainText('Signed in')
  await expect(drawer.getByRole('button', { name: 'Copy as JSON' })).toBeVisible()
  await expectAccessible(page)
  const seq = Number(parameter(page, 'event'))
  await drawer.getByRole('button', { name: 'Event after' }).click()
  await expect(page).toHaveURL(new RegExp(`event=${seq + 1}`))
  await drawer
    .getByRole('button', { name: `Show only ${admin.email}` })
    .first()
    .click()
  await expect(drawer).toBeHidden()
  await expect(page).toHaveURL(/actor=ana/)
  await expect(rows(page).filter({ hasText: 'sys_startup' })).toHaveCount(0)
  await page.goBack()
  await expect(page.getByRole('dialog')).toBeVisible()

  await page.setViewportSize({ width: 320, height: 800 })
  await page.goto('/security?event=99999')
  await expect(page.getByRole('dialog')).toContainText('There is no event number 99999')
  await expectAccessible(page)
})

test('an export holds exactly the filtered events, in both formats', async ({ page, console: running }) => {
  await fail(running, 'second.mallory@example.org')
  await page.goto('/security?events=authn_login_fail&outcomes=failure')
  await expect(rows(page).filter({ hasText: 'second.mallory@example.org' })).toHaveCount(1)
  const shown = (await rows(page).count()) - 1
  await page.getByRole('button', { name: 'Export' }).click()
  const dialog = page.getByRole('dialog')
  await expect(dialog.getByRole('heading', { name: `Export ${shown} event` })).toBeVisible()
  await expect(dialog).toContainText('Times in the fileUTC, ISO 8601')
  await expectAccessible(page)
  const read = async (name: string) => {
    const href = await dialog.getByRole('link', { name }).getAttribute('href')
    const answer = await page.request.get(href ?? '')
    expect(answer.status()).toBe(200)
    return (await answer.text()).trimEnd().split(/\r?\n/)
  }
  const lines = (await read('Download NDJSON')).map((line) => JSON.parse(line))
  expect(lines).toHaveLength(shown)
  expect(lines.every(({ event, outcome }) => event === 'authn_login_fail' && outcome === 'failure')).toBe(
    true,
  )
  const table = await read('Download CSV')
  expect(table).toHaveLength(shown + 1)
  expect(table.at(-1)).toMatch(/\d{4}-\d\d-\d\dT[\d:.]+Z/)
})

test('a tile that fails says so, keeps the rest of the page, and comes back', async ({ page }) => {
  await page.goto('/security')
  await expect(rows(page).nth(1)).toBeVisible()
  let broken = true
  await page.route(/security\.events\.list/, (route) => (broken ? route.abort() : route.continue()))
  await page.getByRole('search', { name: 'Filter of events' }).getByLabel('Words').fill('second.mallory')
  await page.keyboard.press('Enter')
  const alert = page.getByRole('alert').filter({ hasText: 'Audit events: The console cannot be reached.' })
  await expect(alert).toBeVisible()
  await expect(page.getByRole('button', { name: 'Verify', exact: true })).toBeVisible()
  await expectAccessible(page)
  broken = false
  await alert.getByRole('button', { name: 'Try again' }).click()
  await expect(rows(page).filter({ hasText: 'second.mallory@example.org' })).toHaveCount(1)
})

test('the log is verified by a button: green as it was written, red once a row was changed', async ({
  page,
  console: running,
}) => {
  await page.goto('/security')
  await page.getByRole('button', { name: 'Verify', exact: true }).click()
  await expect(page.getByText(/^Verified up to #\d+/)).toBeVisible()
  await page.getByRole('button', { name: 'What was verified' }).click()
  await expect(page.getByText('Nothing was found: chain, signatures and checkpoints fit')).toBeVisible()
  await page.getByRole('button', { name: 'Retention' }).click()
  await expect(page.getByRole('dialog')).toContainText('All events are kept.')
  await expectAccessible(page)
  await page.keyboard.press('Escape')

  const store = new Database(join(running.dataDir, 'holdfast.db'))
  for (const { name } of store
    .prepare<[], { name: string }>(
      "select name from sqlite_master where type = 'trigger' and tbl_name = 'audit_events'",
    )
    .all())
    store.exec(`drop trigger "${name}"`)
  expect(store.prepare("update audit_events set actor = 'nobody' where seq = 3").run().changes).toBe(1)
  store.close()

  await page.getByRole('button', { name: 'Verify', exact: true }).click()
  await expect(page.getByText(/Tampered with: modified/)).toBeVisible()
  const found = page.getByRole('list', { name: 'What was found' })
  await expect(found.getByRole('listitem')).toHaveCount(1)
  await expectAccessibleAtBothWidths(page)
  await found.getByRole('button', { name: 'Event #3' }).click()
  await expect(page).toHaveURL(/event=3$/)
  await expect(page.getByRole('dialog')).toContainText('nobody')
})

test('activity is charted, and leads to the events behind it', async ({ page }) => {
  await page.goto('/security/activity')
  for (const title of [
    'Sign-ins by outcome',
    'Events by severity',
    'Limit hits and blocks',
    'Second factors',
  ])
    await expect(page.getByRole('figure', { name: title })).toBeVisible()
  const signIns = page.getByRole('figure', { name: 'Sign-ins by outcome' })
  await expect(signIns).toContainText(/\d+ failure/)
  await signIns.getByRole('button', { name: 'Table' }).click()
  await expect(signIns.getByRole('table')).toBeVisible()
  await expectAccessibleAtBothWidths(page)
  await signIns.getByRole('link', { name: /Events/ }).click()
  await expect(page).toHaveURL(/\/security\?events=authn_login_/)
  await expect(rows(page).filter({ hasText: 'second.mallory@example.org' })).toHaveCount(1)
})

test('a viewer reads the log and may not verify it', async ({ page, console: running }) => {
  const store = new Database(join(running.dataDir, 'holdfast.db'))
  expect(store.prepare("update users set role = 'viewer'").run().changes).toBe(1)
  store.close()
  await expect(async () => {
    await page.goto('/security')
    await expect(page.getByRole('button', { name: 'Verify', exact: true })).toBeDisabled({ timeout: 500 })
  }).toPass()
  await expect(rows(page).filter({ hasText: 'user_created' })).toHaveCount(1)
  await page.goto('/system/api-keys')
  await expect(page.getByText('Only an admin can see and make API keys')).toBeVisible()
  await expectAccessibleAtBothWidths(page)
})
