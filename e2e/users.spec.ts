import type { Browser, Page } from '@playwright/test'
import { expectAccessible } from './accessible'
import { call, consoleTest, expect, setUp, signIn, stepUp } from './fixtures'
import { bearer, program } from './program'

const test = consoleTest()

test.describe.configure({ mode: 'serial' })

const vic = { email: 'vic@example.org', name: 'Vic Viewer', password: 'nine quiet lamps on a hill' }
const users = (page: Page) => page.getByRole('table', { name: 'Users' })

/** The link that a dialog shows this once. */
async function takeLink(page: Page): Promise<string> {
  const dialog = page.getByRole('dialog')
  const link = await dialog.getByText(/^http:\/\/localhost:\d+\/link#/).textContent()
  await dialog.getByRole('button', { name: 'I saved it' }).click()
  return link ?? ''
}

/** Another person's browser. */
async function elsewhere(browser: Browser, baseURL: string): Promise<Page> {
  return (await browser.newContext({ baseURL })).newPage()
}

/** Vic's browser, signed in by the password alone. */
async function vicElsewhere(browser: Browser, { url }: { url: string }): Promise<Page> {
  const page = await elsewhere(browser, url)
  await signInAsVic(page)
  await page.waitForURL((at) => at.pathname === '/')
  return page
}

async function signInAsVic(page: Page, password = vic.password): Promise<void> {
  await page.goto('/sign-in')
  await page.getByLabel('E-mail').fill(vic.email)
  await page.getByRole('textbox', { name: 'Password' }).fill(password)
  await page.getByRole('button', { name: 'Sign in', exact: true }).click()
}

test('a user is invited by a link that works once, and chooses name and password', async ({
  page,
  browser,
  console: running,
}) => {
  await setUp(page, running.setUpLink ?? '')
  await page.goto('/security/users')
  await expect(users(page).getByRole('row')).toHaveCount(2)
  await expectAccessible(page)
  await page.getByRole('button', { name: 'Invite a user' }).click()
  const dialog = page.getByRole('dialog')
  await dialog.getByLabel('E-mail').fill(vic.email)
  await dialog.getByLabel('Name').fill('Vic')
  await dialog.getByRole('radio', { name: /^Viewer/ }).check()
  await expectAccessible(page)
  await dialog.getByRole('button', { name: 'Make the invitation' }).click()
  await page.getByRole('dialog').getByRole('button', { name: 'Invite', exact: true }).click()
  const link = await takeLink(page)
  await expect(users(page).getByRole('row', { name: /vic@example\.org/ })).toContainText('Invited')

  const invited = await elsewhere(browser, running.url)
  await invited.goto(link)
  await expect(invited.getByRole('heading', { name: 'Welcome to Holdfast' })).toBeVisible()
  await expectAccessible(invited)
  await invited.getByLabel('Name').fill(vic.name)
  const password = invited.getByRole('textbox', { name: 'Password' })
  await password.fill('holdfast-holdfast')
  await invited.getByRole('button', { name: 'Make my account' }).click()
  await expect(password).toHaveAttribute('aria-invalid', 'true')
  await password.fill(vic.password)
  await invited.getByRole('button', { name: 'Make my account' }).click()
  await invited.waitForURL((url) => url.pathname === '/')

  await invited.goto('/security/users')
  await expect(invited.getByRole('button', { name: 'Invite a user' })).toHaveCount(0)
  await invited.goto(link)
  await expect(invited.getByRole('heading', { name: 'This link was used' })).toBeVisible()
  await invited.context().close()
})

test('a role changes at once, also on a page that stands open', async ({
  page,
  browser,
  console: running,
}) => {
  const other = await vicElsewhere(browser, running)
  const nowhere = { host: '127.0.0.1', port: 1, database: 'x', user: 'x', password: '' }
  expect(await call(other, 'database.test', nowhere)).toBe(403)

  await signIn(page, '/security/users')
  await users(page)
    .getByRole('row', { name: /vic@example\.org/ })
    .click()
  const drawer = page.getByRole('dialog')
  await expect(page).toHaveURL(/user=/)
  await expectAccessible(page)
  await drawer.getByRole('radio', { name: /^Operator/ }).check()
  await drawer.getByRole('button', { name: 'Change role' }).click()
  await page.getByRole('dialog').last().getByRole('button', { name: 'Change role', exact: true }).click()
  await expect(users(page).getByRole('row', { name: /vic@example\.org/ })).toContainText('Operator')

  expect(await call(other, 'database.test', nowhere)).toBe(200)
  await other.context().close()
})

test('the sessions of a user are ended from the list of everybody’s, open pages too', async ({
  page,
  browser,
  console: running,
}) => {
  const other = await vicElsewhere(browser, running)
  await signIn(page, '/security/sessions')
  const sessions = page.getByRole('table', { name: 'Live sessions' })
  await expect(sessions.getByRole('row', { name: /This one/ })).toHaveCount(1)
  await expectAccessible(page)
  await sessions
    .getByRole('button', { name: new RegExp(`^End the session of ${vic.email}`) })
    .first()
    .click()
  await page.getByRole('dialog').getByRole('button', { name: /^End/ }).click()
  await expect(other.getByRole('heading', { name: 'Your session has ended' })).toBeVisible()
  await other.context().close()
})

test('a password is reset by a link, and a new one can be asked for', async ({
  page,
  browser,
  console: running,
}) => {
  await signIn(page, '/security/users')
  await users(page)
    .getByRole('row', { name: /vic@example\.org/ })
    .click()
  await page.getByRole('dialog').getByRole('button', { name: 'Reset password' }).click()
  const confirm = page.getByRole('dialog').last()
  await expect(confirm.getByRole('button', { name: 'Reset password', exact: true })).toBeDisabled()
  await confirm.getByRole('textbox').fill(vic.email)
  await confirm.getByRole('button', { name: 'Reset password', exact: true }).click()
  const shown = page.getByRole('dialog').last()
  const link = (await shown.getByText(/^http:\/\/localhost:\d+\/link#/).textContent()) ?? ''
  await shown.getByRole('button', { name: 'I saved it' }).click()

  const other = await elsewhere(browser, running.url)
  await signInAsVic(other)
  await expect(other.getByText('The e-mail address or the password is wrong.')).toBeVisible()
  await other.goto(link)
  await other.getByRole('textbox', { name: 'New password' }).fill('eleven red kites at noon')
  await other.getByRole('button', { name: 'Save and sign in' }).click()
  await other.waitForURL((url) => url.pathname === '/')

  await page.getByRole('dialog').getByRole('button', { name: 'Require new password' }).click()
  await page
    .getByRole('dialog')
    .last()
    .getByRole('button', { name: 'Require new password', exact: true })
    .click()
  await expect(users(page).getByRole('row', { name: /vic@example\.org/ })).toContainText(
    'Must change password',
  )
  await other.goto('/cache')
  await other.waitForURL((url) => url.pathname === '/new-password')
  await expectAccessible(other)
  await other.getByRole('textbox', { name: 'Current password' }).fill('eleven red kites at noon')
  await other.getByRole('textbox', { name: 'New password' }).fill(vic.password)
  await other.getByRole('button', { name: 'Change password' }).click()
  await other.waitForURL((url) => url.pathname === '/cache')
  await other.context().close()
})

test('a role that must have a factor stops who has none, and a disabled user is out', async ({
  page,
  browser,
  console: running,
}) => {
  const other = await vicElsewhere(browser, running)
  await signIn(page, '/security/users')
  await page.getByRole('checkbox', { name: /^Operator/ }).check()
  await page.getByRole('button', { name: 'Save the rule' }).click()
  await stepUp(page, 'Save the rule')
  await other.goto('/')
  await other.waitForURL((url) => url.pathname === '/second-factor')

  await users(page)
    .getByRole('row', { name: /vic@example\.org/ })
    .click()
  await page.getByRole('dialog').getByRole('button', { name: 'Disable' }).click()
  const confirm = page.getByRole('dialog').last()
  await confirm.getByRole('textbox').fill(vic.email)
  await confirm.getByRole('button', { name: /^Disable/ }).click()
  await expect(users(page).getByRole('row', { name: /vic@example\.org/ })).toContainText('Disabled')
  await signInAsVic(other)
  await expect(other.getByText('The e-mail address or the password is wrong.')).toBeVisible()
  await other.context().close()
})

test('the last admin cannot be demoted, and the dialog says why', async ({ page }) => {
  await signIn(page, '/security/users')
  await users(page)
    .getByRole('row', { name: /\(you\)/ })
    .click()
  const drawer = page.getByRole('dialog')
  await drawer.getByRole('radio', { name: /^Viewer/ }).check()
  await drawer.getByRole('button', { name: 'Change role' }).click()
  const confirm = page.getByRole('dialog').last()
  await confirm.getByRole('button', { name: 'Change role', exact: true }).click()
  await expect(confirm.getByText(/last admin|only admin/i)).toBeVisible()
  await expectAccessible(page)
})

test('an API key is made, shown once, used by a program, and revoked', async ({ page, console: running }) => {
  await signIn(page, '/system/api-keys')
  await page
    .getByRole('button', { name: /^Make an API key|^Make a key/ })
    .first()
    .click()
  const dialog = page.getByRole('dialog')
  await dialog.getByLabel('Name').fill('Dashboard')
  await dialog
    .getByRole('group', { name: 'Database' })
    .getByRole('checkbox', { name: /^Read|^See/ })
    .check()
  await expectAccessible(page)
  await dialog.getByRole('button', { name: 'Make the key' }).click()
  await page.getByRole('dialog').last().getByRole('button', { name: 'Make the key', exact: true }).click()
  const key = (await page.getByText(/^hf_[\w-]{43}$/).textContent()) ?? ''
  await page.getByRole('button', { name: 'I saved it' }).click()
  expect(await page.content()).not.toContain(key)

  const { get } = program(running)
  expect((await get('/api/infrastructure/database/stats', bearer(key))).status).toBe(200)
  expect((await get('/api/infrastructure/cache/stats', bearer(key))).status).toBe(403)
  await page.getByRole('button', { name: 'Revoke the key Dashboard' }).click()
  await page.getByRole('dialog').getByRole('textbox').fill('Dashboard')
  await page
    .getByRole('dialog')
    .getByRole('button', { name: /^Revoke/ })
    .click()
  await expect(page.getByRole('table', { name: 'API keys' })).toContainText('Revoked')
  expect((await get('/api/infrastructure/database/stats', bearer(key))).status).toBe(401)
})

test('signing keys are rotated by an admin, and everybody stays signed in', async ({
  page,
  console: running,
}) => {
  await signIn(page, '/system/signing-keys')
  const keys = page.getByRole('table', { name: 'Signing keys' })
  await expect(keys.getByRole('row')).toHaveCount(2)
  await expectAccessible(page)
  await page
    .getByRole('button', { name: /^Rotate/ })
    .first()
    .click()
  await page
    .getByRole('dialog')
    .getByRole('button', { name: /^Rotate|^Go on/ })
    .click()
  await page
    .getByRole('dialog')
    .last()
    .getByRole('button', { name: /^Rotate/ })
    .click()
  await expect(keys.getByRole('row')).toHaveCount(3)
  const { body } = await program(running).get('/.well-known/jwks.json')
  expect(body.keys).toHaveLength(2)
  await page.reload()
  await expect(keys).toBeVisible()
})
