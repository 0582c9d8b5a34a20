import { expectAccessible, expectAccessibleAtBothWidths } from './accessible'
import { asFirstAdmin, expect, keepSignedIn } from './fixtures'
import { drawer, exists, keyRow, keys, scanAll, shopTest } from './shop'

const test = shopTest()

test.describe.configure({ mode: 'serial', timeout: 240_000 })

test.beforeEach(async ({ page, world }) => {
  await asFirstAdmin(page, world.console)
})
test.afterEach(async ({ context, world }) => keepSignedIn(context, world.console.url))

test('keys are walked through folder by folder, with what was scanned in figures', async ({ page }) => {
  await page.goto('/cache/keys')
  await expect(page.getByRole('heading', { name: 'Namespaces and keys' })).toBeVisible()
  await page.locator('#main').getByLabel('Keys of').selectOption('all')
  await expect(page).toHaveURL(/scope=all/)
  await expect(page.locator('#main').getByText(/^Scanned [\d,]+ of about [\d,]+ keys/)).toBeVisible()
  await page.getByRole('button', { name: 'Go on', exact: true }).click()
  await scanAll(page)
  await expect(keyRow(page, 'shop:')).toContainText('6,008 keys')

  await keys(page).getByRole('button', { name: 'shop:', exact: true }).click()
  await expect(page).toHaveURL(/prefix=shop%3A/)
  await scanAll(page)
  await expect(keyRow(page, 'many:')).toContainText('6,000 keys')
  for (const [name, type] of Object.entries({
    ...{ text: 'String', json: 'String', bytes: 'String', hash: 'Hash', list: 'List' },
    ...{ set: 'Set', zset: 'Sorted set', stream: 'Stream' },
  })) {
    await expect(keyRow(page, `shop:${name}`)).toContainText(`${type}for ever`)
  }
  await expectAccessibleAtBothWidths(page)

  await page.getByLabel('Filter', { exact: true }).fill('*s*t')
  await page.getByRole('button', { name: 'Filter', exact: true }).click()
  await expect(page).toHaveURL(/match=/)
  await scanAll(page)
  await expect(keys(page).getByRole('rowheader')).toHaveText(['shop:list', 'shop:set', 'shop:zset'])
  await page.getByLabel('Filter', { exact: true }).fill('nothing-is-called-so')
  await page.getByRole('button', { name: 'Filter', exact: true }).click()
  await scanAll(page)
  await expect(page.locator('#main').getByText('No key fits the filter')).toBeVisible()
  await page.goBack()
  await expect(page.getByLabel('Filter', { exact: true })).toHaveValue('*s*t')
  await page.getByRole('navigation', { name: 'Folders' }).getByRole('button', { name: 'All keys' }).click()
  await expect(page).not.toHaveURL(/prefix=/)
})

test('a key has an address of its own, and its value is shown by its type', async ({ page }) => {
  const open = async (key: string) => {
    await page.goto(`/cache/keys?scope=all&prefix=shop:&key=${key}`)
    await expect(drawer(page).getByText(key, { exact: true })).toBeVisible()
  }
  await page.goto('/cache/keys?scope=all&prefix=shop:')
  await scanAll(page)
  await keys(page).getByRole('button', { name: 'shop:text', exact: true }).click()
  await expect(page).toHaveURL(/key=shop%3Atext/)
  await expect(drawer(page).getByText('plain words', { exact: true })).toBeVisible()
  await expect(drawer(page)).toContainText('11 B, all of it shown')
  await expectAccessibleAtBothWidths(page)
  await page.goBack()
  await expect(drawer(page)).toBeHidden()

  await open('shop:json')
  await expect(drawer(page)).toContainText('JSON, laid out')
  await expect(drawer(page).getByText('"id": 12345678901234567890')).toBeVisible()
  await open('shop:bytes')
  await expect(drawer(page)).toContainText('Bytes, as hex')
  await expect(drawer(page).getByText(/^00000000 {2}80/)).toBeVisible()
  await open('shop:hash')
  await expect(drawer(page)).toContainText('500 of 600 fields shown')
  await expect(drawer(page).getByRole('table', { name: 'Fields' })).toContainText(/field-\d+value-\d+/)
  await open('shop:list')
  await expect(drawer(page).getByRole('row', { name: '1 second in line' })).toBeVisible()
  await open('shop:set')
  await expect(drawer(page).getByRole('row', { name: 'only member' })).toBeVisible()
  await open('shop:zset')
  await expect(drawer(page).getByRole('row', { name: '1.5 half past one' })).toBeVisible()
  await open('shop:stream')
  await expect(drawer(page).getByRole('row', { name: '1-1 temperature: 20' })).toBeVisible()
  await expectAccessibleAtBothWidths(page)
  await open('shop:nobody')
  await expect(drawer(page).getByText('There is no such key')).toBeVisible()
})

test('an entry of the cache itself tells its codec, bytes and times', async ({ page, world: { redis } }) => {
  const tables = 'holdfast:statistics:tables:sqlite'
  // While the console thinks Redis away, on a busy machine, it keeps what it reads to itself: then it is asked again.
  await expect(async () => {
    await page.goto('/database/tables')
    await expect.poll(() => exists(redis, tables), { timeout: 5_000 }).toBe(1)
  }).toPass()
  await redis.command('PEXPIRE', tables, 600_000)
  await page.goto('/cache/keys')
  await expect(page.getByRole('table', { name: 'Namespaces' })).toContainText('statistics')
  await page
    .getByRole('table', { name: 'Namespaces' })
    .getByRole('button', { name: 'statistics' })
    .first()
    .click()
  await expect(page).toHaveURL(/prefix=holdfast%3Astatistics%3A/)
  await scanAll(page)
  await keys(page).getByRole('button', { name: 'tables:', exact: true }).click()
  await scanAll(page)
  await keys(page).getByRole('button', { name: 'tables:sqlite', exact: true }).click()
  for (const fact of ['Codec', 'Bytes, raw · stored', 'Tags', 'Written']) {
    await expect(drawer(page).getByText(fact, { exact: true })).toBeVisible()
  }
  await expect(drawer(page).getByRole('region', { name: 'Text of the value' })).toContainText('audit_events')
  await expectAccessible(page)
})

test('a key gets another time to live, and is deleted', async ({ page, world: { redis } }) => {
  await page.goto('/cache/keys?scope=all&prefix=shop:')
  await scanAll(page)
  await keys(page).getByRole('button', { name: 'shop:text', exact: true }).click()
  const seconds = drawer(page).getByLabel('New time to live, in seconds')
  await seconds.fill('soon')
  await drawer(page).getByRole('button', { name: 'Set', exact: true }).click()
  await expect(drawer(page).getByText('Enter seconds above zero.')).toBeVisible()
  await seconds.fill('3600')
  await drawer(page).getByRole('button', { name: 'Set', exact: true }).click()
  await expect(page.getByText('The key lives 1 h from now.')).toBeVisible()
  const left = Number(await redis.command('PTTL', 'shop:text'))
  expect(left).toBeGreaterThan(3_500_000)
  expect(left).toBeLessThanOrEqual(3_600_000)
  await expect(keyRow(page, 'shop:text')).toContainText('1 h')
  await drawer(page).getByRole('button', { name: 'For ever' }).click()
  await expect.poll(() => redis.command('PTTL', 'shop:text')).toBe(-1)

  await page.goto('/cache/keys?scope=all&prefix=shop:')
  await scanAll(page)
  await keys(page).getByRole('button', { name: 'shop:list', exact: true }).click()
  await drawer(page).getByRole('button', { name: 'Delete the key…' }).click()
  await page.getByRole('dialog').last().getByRole('button', { name: 'Delete the key', exact: true }).click()
  await expect(page.getByText('1 key deleted.')).toBeVisible()
  await expect(page.getByRole('dialog')).toHaveCount(0)
  await expect(keyRow(page, 'shop:list')).toHaveCount(0)
  expect(await exists(redis, 'shop:list')).toBe(0)

  await page.getByLabel('Select shop:set').check()
  await page.getByLabel('Select shop:zset').check()
  await page.getByRole('button', { name: 'Delete 2 keys…' }).click()
  const dialog = page.getByRole('dialog')
  await expect(dialog.getByRole('button', { name: 'Delete 2 keys' })).toBeDisabled()
  await dialog.getByRole('textbox').fill('2')
  await expectAccessible(page)
  await dialog.getByRole('button', { name: 'Delete 2 keys' }).click()
  await expect(page.getByText('2 keys deleted.')).toBeVisible()
  expect(await exists(redis, 'shop:set', 'shop:zset')).toBe(0)
})

test('outbound HTTP shows its pools before anything was called', async ({ page }) => {
  await page.goto('/cache/outbound')
  await expect(page.locator('#main').getByText('Nothing was called yet')).toBeVisible()
  await expect(page.getByRole('table', { name: 'Pools' })).toContainText('webhooks')
  await expectAccessibleAtBothWidths(page)
  await page.goto('/cache/outbound?origin=webhooks%20https://example.org')
  await expect(page.getByRole('dialog').getByText('This origin was not called')).toBeVisible()
})
