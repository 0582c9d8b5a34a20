import type { Browser, Page } from '@playwright/test'
import { expectAccessible, expectAccessibleAtBothWidths } from './accessible'
import { asFirstAdmin, call, expect, keepSignedIn, stepUp, withPasskey } from './fixtures'
import { count, drawer, exists, keyRow, keys, MANY, scanAll, shopTest } from './shop'

const test = shopTest()

test.describe.configure({ mode: 'serial', timeout: 240_000 })

test.beforeEach(async ({ page, world }) => {
  await asFirstAdmin(page, world.console)
})
test.afterEach(async ({ context, world }) => keepSignedIn(context, world.console.url))

test('a delete by pattern is counted first, and deletes exactly what was counted', async ({
  page,
  world: { redis },
}) => {
  await page.goto('/cache/keys?scope=all&prefix=shop:many:')
  await page.getByRole('button', { name: 'Delete by pattern…' }).click()
  const dialog = page.getByRole('dialog')
  const pattern = dialog.getByLabel('Pattern')
  const locked = dialog.getByRole('button', { name: 'Delete…', exact: true })
  await expect(pattern).toHaveValue('shop:many:*')
  await expect(locked).toBeDisabled()
  await pattern.fill('shop:many:1*')
  await dialog.getByRole('button', { name: 'Count', exact: true }).click()
  const matched = Number(await count(redis, 'shop:many:1*'))
  expect(matched).toBe(1_111)
  await expect(dialog.getByText(/^1,111 keys match, of [\d,]+ looked at/)).toBeVisible()
  await expect(dialog.getByRole('list', { name: 'Examples' }).getByRole('listitem')).toHaveCount(21)
  await expectAccessibleAtBothWidths(page)

  await pattern.fill('shop:many:*')
  await expect(locked).toBeDisabled()
  await pattern.fill('shop:many:1*')
  await dialog.getByRole('button', { name: 'Delete 1,111 keys…' }).click()
  await expect(dialog.getByRole('button', { name: 'Delete the keys' })).toBeDisabled()
  await dialog.getByRole('textbox').fill('1111')
  await stepUp(page, 'Delete the keys')
  await expect(page.getByText('1,111 keys deleted.')).toBeVisible()
  expect(await count(redis, 'shop:many:1*')).toBe(0)
  expect(await count(redis, 'shop:many:*')).toBe(MANY - matched)
})

/** Another person, who may look and nothing else. */
async function asViewer(page: Page, browser: Browser, baseURL: string): Promise<Page> {
  await page.goto('/security/users')
  await page.getByRole('button', { name: 'Invite a user' }).click()
  const dialog = page.getByRole('dialog')
  await dialog.getByLabel('E-mail').fill('vic@example.org')
  await dialog.getByLabel('Name').fill('Vic')
  await dialog.getByRole('radio', { name: /^Viewer/ }).check()
  await dialog.getByRole('button', { name: 'Make the invitation' }).click()
  await stepUpTo(page, 'Invite')
  const link = (await dialog.getByText(/^http:\/\/localhost:\d+\/link#/).textContent()) ?? ''
  const other = await (await browser.newContext({ baseURL })).newPage()
  await other.goto(link)
  await other.getByLabel('Name').fill('Vic Viewer')
  await other.getByRole('textbox', { name: 'Password' }).fill('nine quiet lamps on a hill')
  await other.getByRole('button', { name: 'Make my account' }).click()
  await other.waitForURL((url) => url.pathname === '/')
  return other
}

/** As {@link stepUp}, where another dialog follows. */
async function stepUpTo(page: Page, action: string): Promise<void> {
  await withPasskey(page, new URL(page.url()).origin)
  const button = page.getByRole('dialog').getByRole('button', { name: action, exact: true })
  await button.click()
  await expect(button).toHaveCount(0)
}

test('who may only look sees every key, and no way to change one', async ({ page, browser, world }) => {
  const other = await asViewer(page, browser, world.console.url)
  await other.goto('/cache/keys?scope=all&prefix=shop:')
  await scanAll(other)
  await expect(keyRow(other, 'shop:text')).toBeVisible()
  await expect(other.getByRole('checkbox')).toHaveCount(0)
  for (const name of [/^Clear/, /^Delete/]) {
    await expect(other.getByRole('button', { name })).toHaveCount(0)
  }
  await keys(other).getByRole('button', { name: 'shop:text', exact: true }).click()
  await expect(drawer(other).getByText('plain words', { exact: true })).toBeVisible()
  await expect(drawer(other).getByRole('button', { name: /^Delete/ })).toHaveCount(0)
  await expect(drawer(other).getByLabel('New time to live, in seconds')).toHaveCount(0)
  expect(await call(other, 'cache.deleteKeys', { keys: ['shop:text'] })).toBe(403)
  expect(await call(other, 'cache.expire', { key: 'shop:text', ttl: 1 })).toBe(403)
  expect(await call(other, 'cache.clear', { scope: 'all' })).toBe(403)
  expect(await exists(world.redis, 'shop:text')).toBe(1)
  await other.context().close()
})

test('a namespace, the cache, and everything in Redis are cleared once their words are typed', async ({
  page,
  world: { redis },
}) => {
  await redis.command('MSET', 'holdfast:statistics:left', 'x', 'holdfast:elsewhere:left', 'x')
  await page.goto('/database/tables')
  await expect(page.getByRole('table', { name: 'Tables', exact: true })).toBeVisible()
  await page.goto('/cache/keys')
  await page.getByRole('button', { name: 'Clear statistics', exact: true }).click()
  const dialog = page.getByRole('dialog')
  await expect(dialog.getByRole('button', { name: 'Clear the namespace' })).toBeDisabled()
  await dialog.getByRole('textbox').fill('statistics')
  await expectAccessibleAtBothWidths(page)
  await stepUp(page, 'Clear the namespace')
  await expect(page.getByText(/^\d+ keys? deleted\.$/)).toBeVisible()
  expect(await exists(redis, 'holdfast:statistics:left')).toBe(0)
  expect(await exists(redis, 'holdfast:elsewhere:left', 'shop:text')).toBe(2)

  await page.reload()
  await page.getByRole('button', { name: 'Clear…', exact: true }).click()
  await expectAccessibleAtBothWidths(page)
  await dialog.getByRole('button', { name: 'Go on' }).click()
  await dialog.getByRole('textbox').fill('clear cache')
  await stepUp(page, 'Clear the cache')
  await expect(page.getByText(/^\d+ keys? deleted\.$/)).toBeVisible()
  expect(await exists(redis, 'holdfast:elsewhere:left')).toBe(0)
  expect(await exists(redis, 'shop:text')).toBe(1)

  await page.reload()
  await page.getByRole('button', { name: 'Clear…', exact: true }).click()
  await dialog.getByRole('radio', { name: /^Everything in Redis/ }).check()
  await expect(dialog.getByText('Other applications lose their keys too')).toBeVisible()
  await expectAccessible(page)
  await dialog.getByRole('button', { name: 'Go on' }).click()
  await dialog.getByRole('textbox').fill('clear cache')
  await expect(dialog.getByRole('button', { name: 'Clear everything' })).toBeDisabled()
  await dialog.getByRole('textbox').fill('clear everything')
  await stepUp(page, 'Clear everything')
  await expect(page.getByText(/^[\d,]+ keys deleted\.$/)).toBeVisible()
  expect(await count(redis, 'shop:*')).toBe(0)
})
