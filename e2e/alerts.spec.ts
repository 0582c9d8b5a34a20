import type { Page } from '@playwright/test'
import { Webhook } from 'standardwebhooks'
import {
  type MailServer,
  type Receiver,
  type Reply,
  startMailServer,
  startReceiver,
} from '@/db/testing/receivers'
import { expectAccessible, expectAccessibleAtBothWidths } from './accessible'
import { admin } from './admin'
import { asFirstAdmin, consoleTest, expect, keepSignedIn, withPasskey } from './fixtures'
import { program } from './program'

const test = consoleTest({ env: { OUTBOUND_ALLOW: '127.0.0.1', MAX_LOGIN_ATTEMPTS: '50' } })

test.describe.configure({ mode: 'serial' })

let receiver: Receiver
let mailServer: MailServer
let reply: Reply = 204
let secret = ''

test.beforeAll(async () => {
  receiver = await startReceiver(() => reply)
  mailServer = await startMailServer()
})
test.afterAll(async () => {
  await receiver.close()
  await mailServer.close()
})
test.beforeEach(async ({ page, console: running }) => {
  await asFirstAdmin(page, running)
})

// A step-up makes new cookies.
test.afterEach(({ page, console: running }) => keepSignedIn(page.context(), running.url))

/** Proves the factor in the dialog that asks for it, which stands over the form that it confirms. */
async function confirm(page: Page, title: string, action: string): Promise<void> {
  await withPasskey(page, new URL(page.url()).origin)
  await page.getByRole('dialog', { name: title }).getByRole('button', { name: action, exact: true }).click()
}

const verify = (at: number) => {
  const { body, headers } = receiver.received[at] ?? { body: '', headers: {} }
  return new Webhook(secret).verify(body, headers as Record<string, string>) as { type: string; data: object }
}

test('a webhook is added, its secret is shown once, and a test arrives signed', async ({ page }) => {
  await page.goto('/security/alerts')
  await expect(page.getByText('There is no channel yet')).toBeVisible()
  await expectAccessibleAtBothWidths(page)
  await page.getByRole('button', { name: 'Add a channel' }).click()
  const dialog = page.getByRole('dialog', { name: 'Add a channel' })
  await dialog.getByLabel('Name').fill('On call')
  await dialog.getByLabel('Address').fill(`${receiver.url}/hook`)
  await dialog.getByLabel('Headers').fill('Authorization: Bearer of the receiver')
  await expectAccessible(page)
  await dialog.getByRole('button', { name: 'Add the channel' }).click()
  await confirm(page, 'Confirm the new channel', 'Add the channel')
  const once = page.getByRole('dialog', { name: 'Signing secret of On call' })
  secret = (await once.getByText(/^whsec_/).textContent()) ?? ''
  await expectAccessible(page)
  await once.getByRole('button', { name: 'I saved it' }).click()
  const row = page.getByRole('table', { name: 'Channels' }).getByRole('row', { name: /On call/ })
  await expect(row).toContainText(`${receiver.url}/…`)

  await row.getByRole('button', { name: 'Test On call' }).click()
  await expect(page.getByText('The test of On call arrived')).toBeVisible()
  await expect(page.getByText(/^The receiver answered 204 after \d+ ms\.$/)).toBeVisible()
  expect(verify(0)).toMatchObject({ type: 'alert.test' })
  expect(receiver.received[0]?.headers.authorization).toBe('Bearer of the receiver')
  await expect(page.locator('body')).not.toContainText(secret)
})

test('a mailbox is added and tested; what its server says is shown', async ({ page }) => {
  await page.goto('/security/alerts')
  await page.getByRole('button', { name: 'Add a channel' }).click()
  const dialog = page.getByRole('dialog', { name: 'Add a channel' })
  await dialog.getByRole('radio', { name: /^E-mail/ }).check()
  await dialog.getByLabel('Name').fill('Ops mail')
  await dialog.getByLabel('Server', { exact: true }).fill('127.0.0.2')
  await dialog.getByLabel('TLS', { exact: true }).selectOption('none')
  await dialog.getByLabel('Port', { exact: true }).fill(String(mailServer.port))
  await dialog.getByLabel('From', { exact: true }).fill('holdfast@example.org')
  await dialog.getByLabel('To', { exact: true }).fill('ana@example.org, ops@example.org')
  await expectAccessibleAtBothWidths(page)
  await dialog.getByRole('button', { name: 'Add the channel' }).click()
  await confirm(page, 'Confirm the new channel', 'Add the channel')

  const row = page.getByRole('table', { name: 'Channels' }).getByRole('row', { name: /Ops mail/ })
  await row.getByRole('button', { name: 'Test Ops mail' }).click()
  // Another machine than the one that is allowed: the guard says so, and what to set.
  await expect(page.getByText(/127\.0\.0\.2 is not called: it is this machine.*OUTBOUND_ALLOW/)).toBeVisible()
  expect(mailServer.mails).toEqual([])

  await row.getByRole('button', { name: 'Change Ops mail' }).click()
  await page.getByRole('menuitem', { name: 'Edit' }).click()
  const change = page.getByRole('dialog', { name: 'Change Ops mail' })
  await change.getByLabel('Server', { exact: true }).fill('127.0.0.1')
  await change.getByRole('button', { name: 'Change the channel' }).click()
  await confirm(page, 'Confirm the change', 'Change the channel')
  await row.getByRole('button', { name: 'Test Ops mail' }).click()
  await expect(page.getByText('The test of Ops mail arrived')).toBeVisible()
  expect(mailServer.mails).toMatchObject([
    { from: 'holdfast@example.org', to: ['ana@example.org', 'ops@example.org'] },
  ])
})

test('guessing becomes an alert: a toast, the bell, a signed message and a mail', async ({
  page,
  browser,
  console: running,
}) => {
  await page.goto('/security/alerts')
  const bell = page.getByRole('button', { name: /^Alerts: \d+ not seen$/ })
  await expect(bell).toHaveAccessibleName('Alerts: 0 not seen')
  const other = await browser.newContext({ baseURL: running.url })
  await other.addCookies(await page.context().cookies())
  const second = await other.newPage()
  await second.goto('/cache')

  const guess = program(running)
  for (let at = 0; at < 15; at++)
    await guess.post('/api/auth/login', { email: admin.email, password: `a wrong guess, number ${at}` })

  const alerts = page.getByRole('table', { name: 'Alerts' })
  const row = alerts.getByRole('row', { name: /Brute force/ }).first()
  await expect(row).toBeVisible()
  await expect(bell).not.toHaveAccessibleName('Alerts: 0 not seen')
  // Another tab, on another page, shows the same, and tells of it.
  await expect(second.getByRole('button', { name: /^Alerts: [1-9]\d* not seen$/ })).toBeVisible()
  await expect(second.getByRole('region', { name: 'Messages' }).getByText(/^High: Brute force/)).toBeVisible()
  await expect.poll(() => receiver.received.length).toBeGreaterThan(1)
  expect(verify(1)).toMatchObject({ type: 'alert.raised', data: { severity: expect.any(String) } })
  await expect.poll(() => mailServer.mails.length).toBeGreaterThan(1)
  const deliveries = page.getByRole('table', { name: 'Deliveries' })
  await expect(deliveries.getByText('Delivered', { exact: true }).first()).toBeVisible()
  await expectAccessibleAtBothWidths(page)

  await page.getByRole('button', { name: 'Mark all as seen' }).first().click()
  await expect(bell).toHaveAccessibleName('Alerts: 0 not seen')
  await expect(second.getByRole('button', { name: 'Alerts: 0 not seen' })).toBeVisible()
  await expect(row).toContainText(admin.email)
  await other.close()
})

test('a receiver that is gone switches its channel off, and what was lost is sent again by hand', async ({
  page,
  console: running,
}) => {
  reply = 410
  await page.goto('/security/alerts')
  const before = receiver.received.length
  const guess = program(running)
  for (let at = 0; at < 15; at++)
    await guess.post('/api/auth/login', { email: 'eva@example.org', password: `a wrong guess, number ${at}` })
  const row = page.getByRole('table', { name: 'Channels' }).getByRole('row', { name: /On call/ })
  await expect(row).toContainText('Switched off')
  await expect(row).toContainText('410 Gone')
  expect(receiver.received.length).toBeGreaterThan(before)

  reply = 200
  await row.getByRole('button', { name: 'Change On call' }).click()
  await page.getByRole('menuitem', { name: 'Edit' }).click()
  const change = page.getByRole('dialog', { name: 'Change On call' })
  await change.getByRole('checkbox', { name: /^On/ }).check()
  await change.getByRole('button', { name: 'Change the channel' }).click()
  await confirm(page, 'Confirm the change', 'Change the channel')
  await page.getByLabel('Show').selectOption('dead')
  const dead = page.getByRole('table', { name: 'Deliveries' })
  await dead
    .getByRole('button', { name: /^Try again/ })
    .first()
    .click()
  await expect(page.getByText(/1 delivery tried again/)).toBeVisible()
  await page.getByLabel('Show').selectOption('')
  await expect.poll(() => receiver.received.length).toBeGreaterThan(before + 1)
})

test('a new secret signs beside the one before', async ({ page }) => {
  await page.goto('/security/alerts')
  const row = page.getByRole('table', { name: 'Channels' }).getByRole('row', { name: /On call/ })
  await row.getByRole('button', { name: 'Change On call' }).click()
  await page.getByRole('menuitem', { name: 'New signing secret' }).click()
  await confirm(page, 'New signing secret of On call', 'Make a new secret')
  const once = page.getByRole('dialog', { name: 'Signing secret of On call' })
  const next = (await once.getByText(/^whsec_/).textContent()) ?? ''
  expect(next).not.toBe(secret)
  await once.getByRole('button', { name: 'I saved it' }).click()
  const at = receiver.received.length
  await row.getByRole('button', { name: 'Test On call' }).click()
  await expect(page.getByText('The test of On call arrived')).toBeVisible()
  verify(at)
  secret = next
  verify(at)
})

test('a channel is removed', async ({ page }) => {
  await page.goto('/security/alerts')
  const channels = page.getByRole('table', { name: 'Channels' })
  await channels.getByRole('button', { name: 'Change On call' }).click()
  await page.getByRole('menuitem', { name: 'Remove' }).click()
  await confirm(page, 'Remove On call', 'Remove the channel')
  await expect(channels.getByRole('row', { name: /On call/ })).toHaveCount(0)
})
