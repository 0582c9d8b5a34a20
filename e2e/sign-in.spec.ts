import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expectAccessible } from './accessible'
import { admin, call, consoleTest, enrolPasskey, expect, keepPasskey, signIn, withPasskey } from './fixtures'

const test = consoleTest()

test.describe.configure({ mode: 'serial' })

test('the set-up link makes the first admin, and its token goes to no other address', async ({
  page,
  console: running,
}) => {
  const link = running.setUpLink ?? ''
  const token = link.split('#')[1] ?? ''
  expect(token).toHaveLength(43)
  const leaks: string[] = []
  page.on('request', async (request) => {
    if (request.url().replace(/#.*/, '').includes(token)) leaks.push(request.url())
    // As they were sent: before that, the browser notes a referrer with its fragment.
    const { referer } = await request.allHeaders().catch(() => ({ referer: undefined }))
    if (referer?.includes(token)) leaks.push(`referer of ${request.url()}`)
  })
  await withPasskey(page, running.url)
  await page.goto(link)
  await expect(page.getByRole('heading', { name: 'Set up this console' })).toBeVisible()
  await expectAccessible(page)

  await page.getByLabel('Name').fill(admin.name)
  await page.getByLabel('E-mail').fill(admin.email)
  const password = page.getByRole('textbox', { name: 'Password' })
  await password.fill('too short')
  await page.getByRole('button', { name: 'Make the admin account' }).click()
  await expect(page).toHaveURL(/\/set-up/)
  await password.fill(admin.password)
  await page.getByRole('button', { name: 'Make the admin account' }).click()

  // Nothing else opens before the second factor that admins must have.
  await page.waitForURL((url) => url.pathname === '/second-factor')
  await expectAccessible(page)
  await page.goto('/database')
  await expect(page).toHaveURL(/\/second-factor\?next=%2Fdatabase$/)
  await page.goto('/second-factor')
  await enrolPasskey(page)
  await page.waitForURL((url) => url.pathname === '/')
  await keepPasskey(page)
  await expect(page.getByRole('main')).toBeVisible()
  expect(leaks).toEqual([])

  // A browser that is signed in is led back from here, by the page itself.
  await page.goto('/sign-in')
  await page.waitForURL((url) => url.pathname === '/')
  await page.goto(link)
  await expect(page.getByRole('heading', { name: 'This console is set up' })).toBeVisible()
  await page.goto('/set-up')
  await expect(page.getByRole('heading', { name: 'Open the set-up link' })).toBeVisible()
})

test('a wrong password stays on the page with what was typed; a pasted one signs in', async ({
  page,
  context,
  console: running,
}) => {
  await context.grantPermissions(['clipboard-read', 'clipboard-write'])
  await page.goto('/security')
  await expect(page).toHaveURL(/\/sign-in\?next=%2Fsecurity$/)
  await expectAccessible(page)
  const password = page.getByRole('textbox', { name: 'Password' })
  await page.getByLabel('E-mail').fill(admin.email)
  await password.fill('not the password')
  await page.getByRole('button', { name: 'Sign in', exact: true }).click()
  await expect(page.getByText('The e-mail address or the password is wrong.')).toBeVisible()
  await expect(page.getByLabel('E-mail')).toHaveValue(admin.email)

  await page.evaluate((text) => navigator.clipboard.writeText(text), admin.password)
  await password.focus()
  await page.keyboard.press('Control+A')
  await page.keyboard.press('Control+V')
  await expect(password).toHaveValue(admin.password)
  await withPasskey(page, running.url)
  await page.keyboard.press('Enter')
  await expect(page.getByRole('heading', { name: 'Second factor' })).toBeVisible()
  await expectAccessible(page)
  await page.getByRole('button', { name: 'Use a passkey' }).click()
  await page.waitForURL((url) => url.pathname === '/security')
  const events = page.getByRole('table', { name: 'Audit events' })
  await expect(events.getByRole('row', { name: /authn_login_fail.*wrong password/ })).toBeVisible()
  await expect(events.getByRole('row', { name: /user_created/ })).toBeVisible()
})

for (const next of ['//example.com', '/\\example.com', 'https://example.com', '/%09/example.com']) {
  test(`sign-in never leads away: next=${next}`, async ({ page, console: running }) => {
    await page.goto(`/sign-in?next=${next.startsWith('/%') ? next : encodeURIComponent(next)}`)
    await withPasskey(page, running.url)
    await page.getByRole('button', { name: 'Sign in with a passkey' }).click()
    await page.waitForURL(`${running.url}/`)
  })
}

test('a session whose access has run out goes on by itself', async ({ page, context }) => {
  await signIn(page)
  await context.clearCookies({ name: 'holdfast-access' })
  await page.goto('/account')
  await page.waitForURL((url) => url.pathname === '/account')
  await expect(page.getByRole('heading', { name: 'Account', exact: true })).toBeVisible()
})

test('sessions are listed, and ended ones are signed out over their page, at once', async ({
  page,
  browser,
  console: running,
}) => {
  await signIn(page, '/account')
  await call(page, 'account.endOtherSessions')
  await page.reload()
  const elsewhere = await browser.newContext({ baseURL: running.url })
  const other = await elsewhere.newPage()
  await signIn(other, '/account')
  await other.evaluate(() => document.body.setAttribute('data-kept', 'yes'))

  await page.reload()
  const table = page.getByRole('table', { name: 'Your sessions' })
  await expect(table.getByRole('row')).toHaveCount(3)
  await expect(table.getByRole('row', { name: /This one/ })).toHaveCount(1)
  await expect(table.getByRole('cell', { name: '127.0.0.1', exact: true })).toHaveCount(2)
  await expectAccessible(page)
  await table.getByRole('button', { name: /^End the session of Chrome on Linux/ }).click()
  await page.getByRole('button', { name: 'End session' }).click()
  await expect(table.getByRole('row')).toHaveCount(2)

  await expect(other.getByRole('heading', { name: 'Your session has ended' })).toBeVisible()
  await expect(other.locator('header').getByText('Signed out', { exact: true })).toBeVisible()
  await expectAccessible(other)
  const dialog = other.getByRole('dialog')
  await expect(dialog.getByLabel('E-mail')).toHaveValue(admin.email)
  await dialog.getByRole('textbox', { name: 'Password' }).fill(admin.password)
  await dialog.getByRole('button', { name: 'Sign in', exact: true }).click()
  await dialog.getByRole('button', { name: 'Use a passkey' }).click()
  await expect(dialog).toBeHidden()
  await expect(other.locator('body')).toHaveAttribute('data-kept', 'yes')
  await expect(other.getByRole('table', { name: 'Your sessions' }).getByRole('row')).toHaveCount(3)
  await elsewhere.close()
})

test('signing out ends the session on the server as well', async ({ page, context }) => {
  await signIn(page)
  const cookies = await context.cookies()
  await page.getByRole('button', { name: /^Account menu/ }).click()
  await page.getByRole('menuitem', { name: 'Sign out' }).click()
  await page.waitForURL((url) => url.pathname === '/sign-in')
  await context.addCookies(cookies)
  await page.goto('/account')
  await expect(page.getByRole('button', { name: 'Sign in', exact: true })).toBeVisible()
})

test('a form that is sent before its script has come keeps what was typed out of the address', async ({
  browser,
  console: running,
}) => {
  const context = await browser.newContext({ baseURL: running.url, javaScriptEnabled: false })
  const page = await context.newPage()
  await page.goto('/sign-in')
  await page.getByLabel('E-mail').fill(admin.email)
  await page.getByRole('textbox', { name: 'Password' }).fill(admin.password)
  await page.getByRole('button', { name: 'Sign in', exact: true }).click()
  await expect(page).toHaveURL(`${running.url}/sign-in`)
  await expect(page.getByRole('button', { name: 'Sign in', exact: true })).toBeVisible()
  await context.close()
})

test('another site can neither sign out nor sign in by a form', async ({
  page,
  context,
  console: running,
}) => {
  await signIn(page)
  const form = (action: string) => `<!doctype html><form method="post" enctype="multipart/form-data"
    action="${running.url}/api/trpc/${action}"><input name="email" value="a"></form><script>document.forms[0].submit()</script>`
  const evil = createServer((request, response) => {
    response.setHeader('content-type', 'text/html')
    response.end(form((request.url ?? '/').slice(1)))
  })
  await new Promise<void>((resolve) => evil.listen(0, '127.0.0.1', resolve))
  try {
    const attack = await context.newPage()
    for (const path of ['auth.signOut', 'auth.refresh', 'account.endOtherSessions']) {
      const answered = attack.waitForResponse((response) => response.url().includes('/api/trpc/'))
      await attack.goto(`http://127.0.0.1:${(evil.address() as AddressInfo).port}/${path}`)
      expect((await answered).status()).toBeGreaterThanOrEqual(400)
    }
    await attack.close()
    await page.goto('/account')
    await expect(page.getByRole('heading', { name: 'Account', exact: true })).toBeVisible()
  } finally {
    evil.close()
    evil.closeAllConnections()
  }
})

test('a forged X-Forwarded-For changes no address', async ({ page, playwright, console: running }) => {
  const program = await playwright.request.newContext({ baseURL: running.url })
  const answer = await program.post('/api/trpc/auth.signIn', {
    data: { email: 'forger@example.org', password: 'whatever it is' },
    headers: { 'x-forwarded-for': '203.0.113.99', 'x-holdfast-peer': '203.0.113.98' },
  })
  expect(answer.status()).toBe(401)
  expect(answer.headersArray().filter(({ name }) => name.toLowerCase() === 'set-cookie')).toEqual([])
  await signIn(page, '/security')
  const events = page.getByRole('table', { name: 'Audit events' })
  await expect(events.getByRole('row', { name: /forger@example\.org.*127\.0\.0\.1/ })).toBeVisible()
  await expect(events).not.toContainText('203.0.113')
  await program.dispose()
})
