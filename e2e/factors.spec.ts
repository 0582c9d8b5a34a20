import { readFileSync } from 'node:fs'
import type { Page } from '@playwright/test'
import { expectAccessible } from './accessible'
import { addAuthenticator } from './authenticator'
import { admin, consoleTest, expect } from './fixtures'
import { authenticatorApp } from './program'
import { quietZone, scan } from './qr'

/** Ten steps of 30 s each way: as many codes as the tests need without waiting for the next one. */
const window = 10
const test = consoleTest({ env: { TWO_FA_WINDOW: String(window) } })

test.describe.configure({ mode: 'serial' })

let app: ReturnType<typeof authenticatorApp>
let backupCodes: string[] = []
let password = admin.password

/** The first step of a sign-in: the password is right, the factor is asked for. */
async function givePassword(page: Page): Promise<void> {
  await page.context().clearCookies({ name: /^holdfast-(access|refresh)$/ })
  await page.goto('/sign-in')
  await page.getByLabel('E-mail').fill(admin.email)
  await page.getByRole('textbox', { name: 'Password' }).fill(password)
  await page.getByRole('button', { name: 'Sign in', exact: true }).click()
  await expect(page.getByRole('heading', { name: 'Second factor' })).toBeVisible()
}

async function signInByCode(page: Page, code: string): Promise<void> {
  await givePassword(page)
  const field = page.getByRole('textbox', { name: 'Code' })
  await expect(field).toHaveAttribute('autocomplete', 'one-time-code')
  await field.fill(code)
  await page.getByRole('button', { name: 'Sign in', exact: true }).click()
  await page.waitForURL((url) => url.pathname === '/')
}

const codesShown = (page: Page) =>
  page.getByRole('list', { name: 'Backup codes' }).getByRole('listitem').allTextContents()

test('an authenticator app is enrolled by a QR code that a scanner reads in both themes', async ({
  page,
  context,
  console: running,
}) => {
  await context.grantPermissions(['clipboard-read', 'clipboard-write'])
  await page.goto(running.setUpLink ?? '')
  await page.getByLabel('Name').fill(admin.name)
  await page.getByLabel('E-mail').fill(admin.email)
  await page.getByRole('textbox', { name: 'Password' }).fill(admin.password)
  await page.getByRole('button', { name: 'Make the admin account' }).click()
  await page.waitForURL((url) => url.pathname === '/second-factor')
  await page.getByRole('button', { name: 'Set up an authenticator app' }).click()

  const image = page.getByRole('img', { name: 'QR code for your authenticator app' })
  let uri = ''
  for (const colorScheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme })
    const picture = await image.screenshot()
    uri = scan(picture)
    for (const modules of Object.values(await quietZone(page, picture))) {
      expect(modules).toBeGreaterThanOrEqual(4)
    }
    await expectAccessible(page)
  }
  await page.emulateMedia({ colorScheme: null })
  const secret = new URL(uri).searchParams.get('secret') ?? ''
  expect(uri).toContain('otpauth://totp/Holdfast:ana%40example.org?')
  await page.getByRole('button', { name: 'Copy URI' }).click()
  await expect.poll(() => page.evaluate(() => navigator.clipboard.readText())).toBe(uri)
  await page.getByRole('button', { name: 'Copy key' }).click()
  await expect.poll(() => page.evaluate(() => navigator.clipboard.readText())).toBe(secret)

  app = authenticatorApp(secret, window)
  const code = page.getByRole('textbox', { name: 'Code' })
  await expect(code).toHaveAttribute('autocomplete', 'one-time-code')
  await code.fill(app.codeAt(app.now() - window - 4))
  await page.getByRole('button', { name: 'Activate' }).click()
  await expect(page.getByText(/clock is about .* behind/)).toBeVisible()
  await expectAccessible(page)

  const next = app.next()
  await page.evaluate((text) => navigator.clipboard.writeText(text), `${next.slice(0, 3)} ${next.slice(3)}`)
  await code.fill('')
  await code.focus()
  await page.keyboard.press('Control+V')
  await page.keyboard.press('Enter')
  await expect(page.getByRole('list', { name: 'Backup codes' })).toBeVisible()
})

test('ten backup codes are shown once, to copy, to download and to print, and left only when saved', async ({
  page,
  context,
}) => {
  await context.grantPermissions(['clipboard-read', 'clipboard-write'])
  // The enrolment above activated the app and left the page before "I saved them".
  await signInByCode(page, app.next())
  await page.goto('/account')
  await page.getByRole('button', { name: 'Make new codes' }).click()
  const dialog = page.getByRole('dialog')
  await dialog.getByRole('textbox', { name: 'Code' }).fill(app.next())
  await dialog.getByRole('button', { name: 'Make new codes' }).click()

  await expect(page.getByRole('heading', { name: 'Save your backup codes' })).toBeVisible()
  backupCodes = await codesShown(page)
  expect(new Set(backupCodes).size).toBe(10)
  await expectAccessible(page)
  await dialog.getByRole('button', { name: 'Copy codes' }).click()
  await expect.poll(() => page.evaluate(() => navigator.clipboard.readText())).toBe(backupCodes.join('\n'))
  const download = page.waitForEvent('download')
  await dialog.getByRole('button', { name: 'Download .txt' }).click()
  const file = await download
  expect(file.suggestedFilename()).toMatch(/^holdfast-backup-codes-localhost-\d+-\d{4}-\d\d-\d\d\.txt$/)
  for (const code of backupCodes) expect(readFileSync(await file.path(), 'utf8')).toContain(`\r\n${code}\r\n`)

  await page.emulateMedia({ media: 'print' })
  const printed = page.locator('[data-print-sheet]')
  await expect(printed).toBeVisible()
  expect(await printed.getByRole('listitem').allTextContents()).toEqual(backupCodes)
  await expect(dialog).toBeHidden()
  await page.emulateMedia({ media: null })

  await page.keyboard.press('Escape')
  await expect(dialog.getByRole('button', { name: 'Finish' })).toBeDisabled()
  await dialog.getByLabel('I saved them').check()
  await dialog.getByRole('button', { name: 'Finish' }).click()
  await expect(dialog).toBeHidden()
  await expect(page.getByText('10 of 10')).toBeVisible()
  expect(await page.content()).not.toContain(backupCodes[0])
})

test('a code signs in once, and a wrong one stays on the page with the reason', async ({ page }) => {
  const code = app.next()
  await signInByCode(page, code)
  await givePassword(page)
  await page.getByRole('textbox', { name: 'Code' }).fill(code)
  await page.getByRole('button', { name: 'Sign in', exact: true }).click()
  await expect(page.getByRole('textbox', { name: 'Code' })).toHaveAccessibleDescription(/code/i)
  await expect(page.getByRole('textbox', { name: 'Code' })).toHaveAttribute('aria-invalid', 'true')
  await expectAccessible(page)
  await page.getByRole('textbox', { name: 'Code' }).fill(app.next())
  await page.keyboard.press('Enter')
  await page.waitForURL((url) => url.pathname === '/')
})

test('a backup code signs in instead of the app, once, and is counted', async ({ page }) => {
  const use = async () => {
    await givePassword(page)
    await page.getByRole('button', { name: 'Use a backup code' }).click()
    await page.getByLabel('Backup code').fill(backupCodes[0]?.toLowerCase() ?? '')
    await page.getByRole('button', { name: 'Sign in', exact: true }).click()
  }
  await use()
  await page.waitForURL((url) => url.pathname === '/')
  await page.goto('/account')
  await expect(page.getByText('9 of 10')).toBeVisible()
  await use()
  await expect(page.getByLabel('Backup code')).toHaveAttribute('aria-invalid', 'true')
})

test('a new password asks for the current one, refuses what is easy to guess, and ends other sessions', async ({
  page,
  browser,
  console: running,
}) => {
  const elsewhere = await browser.newContext({ baseURL: running.url })
  const other = await elsewhere.newPage()
  await signInByCode(other, app.next())
  await signInByCode(page, app.next())
  await page.goto('/account')
  const current = page.getByRole('textbox', { name: 'Current password' })
  const next = page.getByRole('textbox', { name: 'New password' })
  const change = page.getByRole('button', { name: 'Change password' })

  await current.fill('not the password')
  await next.fill('seven slow boats under fog')
  await change.click()
  await expect(current).toHaveAttribute('aria-invalid', 'true')
  await current.fill(admin.password)
  await next.fill('Password1234567!')
  await change.click()
  await expect(next).toHaveAttribute('aria-invalid', 'true')
  await expect(next).toHaveAccessibleDescription(/attackers try first/)
  await expectAccessible(page)

  await next.fill('seven slow boats under fog')
  await change.click()
  await expect(other.getByRole('heading', { name: 'Your session has ended' })).toBeVisible()
  await elsewhere.close()
  await expect(current).toHaveValue('')
  password = 'seven slow boats under fog'
  await signInByCode(page, app.next())
})

test('the last factor of an admin stays until there is another; then it can go, by the other one', async ({
  page,
}) => {
  const authenticator = await addAuthenticator(page)
  await signInByCode(page, app.next())
  await page.goto('/account')
  const remove = page.getByRole('button', { name: 'Remove the authenticator app' })
  await expect(remove).toBeDisabled()

  await page.getByRole('button', { name: 'Add a passkey' }).click()
  const dialog = page.getByRole('dialog')
  await dialog.getByRole('textbox', { name: 'Code' }).fill(app.next())
  await dialog.getByRole('button', { name: 'Go on' }).click()
  await dialog.getByLabel('Name').fill('Laptop')
  await dialog.getByRole('button', { name: 'Make the passkey' }).click()
  await dialog.getByRole('button', { name: 'Finish' }).click()
  await expect(
    page.getByRole('table', { name: 'Your passkeys' }).getByRole('row', { name: /Laptop/ }),
  ).toBeVisible()
  expect((await authenticator.passkey()).isResidentCredential).toBe(true)

  await page.getByRole('button', { name: 'Rename the passkey Laptop' }).click()
  await dialog.getByLabel('Name').fill('Old laptop')
  await dialog.getByRole('button', { name: /Rename|Save/ }).click()
  await expect(page.getByRole('rowheader', { name: 'Old laptop' })).toBeVisible()

  await remove.click()
  await dialog.getByRole('button', { name: 'Remove app' }).click()
  await expect(page.getByRole('button', { name: 'Set up an authenticator app' })).toBeVisible()
  await expect(page.getByRole('button', { name: 'Remove the passkey Old laptop' })).toBeDisabled()
  await expectAccessible(page)

  // A browser whose user does not prove to be the right one gets nowhere.
  await page.getByRole('button', { name: /^Account menu/ }).click()
  await page.getByRole('menuitem', { name: 'Sign out' }).click()
  await page.waitForURL((url) => url.pathname === '/sign-in')
  await authenticator.answer(false)
  await page.getByRole('button', { name: 'Sign in with a passkey' }).click()
  await expect(page.getByRole('alert').filter({ hasText: /passkey/i })).toBeVisible()
  await authenticator.answer(true)
  await page.getByRole('button', { name: 'Sign in with a passkey' }).click()
  await page.waitForURL((url) => url.pathname === '/')
})
