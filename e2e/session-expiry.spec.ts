import { expectAccessible } from './accessible'
import { consoleTest, expect, setUp, signIn } from './fixtures'

/** Short lives, so that a test sees several of them. */
const accessMs = 8_000
const test = consoleTest({ env: { JWT_ACCESS_EXPIRES_IN: `${accessMs}ms`, JWT_REFRESH_EXPIRES_IN: '10m' } })

test.describe.configure({ mode: 'serial' })

test('two tabs keep one session alive with one refresh at a time', async ({
  page,
  context,
  console: running,
}) => {
  await setUp(page, running.setUpLink ?? '')
  const second = await context.newPage()
  const refreshes: number[] = []
  const failures: string[] = []
  context.on('response', (response) => {
    if (!response.url().includes('/api/trpc/auth.refresh')) return
    refreshes.push(Date.now())
    if (response.status() !== 200) failures.push(`${response.status()} ${response.url()}`)
  })
  await second.goto('/account')
  await expect.poll(() => refreshes.length, { timeout: 80_000 }).toBeGreaterThanOrEqual(3)
  expect(failures).toEqual([])
  const gaps = refreshes.slice(1).map((at, index) => at - (refreshes[index] ?? 0))
  for (const gap of gaps) expect(gap).toBeGreaterThan(accessMs / 2)
  for (const tab of [page, second]) await expect(tab.getByRole('dialog')).toHaveCount(0)
})

test('where Web Locks are missing, tabs share the refresh all the same', async ({
  context,
  browser,
  console: running,
}) => {
  const plain = await browser.newContext({ baseURL: running.url, storageState: await context.storageState() })
  await plain.addInitScript(() =>
    Object.defineProperty(Navigator.prototype, 'locks', { get: () => undefined }),
  )
  const one = await plain.newPage()
  await signIn(one)
  const two = await plain.newPage()
  const refreshes: number[] = []
  plain.on('response', (response) => {
    if (response.url().includes('/api/trpc/auth.refresh')) refreshes.push(response.status())
  })
  await two.goto('/account')
  await expect.poll(() => refreshes.length, { timeout: 80_000 }).toBeGreaterThanOrEqual(3)
  expect(new Set(refreshes)).toEqual(new Set([200]))
  await plain.close()
})

test('two minutes before its end a session warns, and goes on over the page with what was typed', async ({
  page,
}) => {
  await page.clock.install()
  await signIn(page, '/security')
  // Nobody renews it: as if the network had been away until now.
  await page.route(/auth\.refresh/, (route) => route.abort())
  const warning = page.getByText(/^Your session ends in /)
  const words = page.getByRole('search', { name: 'Filter of events' }).getByLabel('Words')
  await words.fill('half a word')
  await page.clock.fastForward('07:45')
  await expect(warning).toBeHidden()
  await page.clock.fastForward('00:30')
  await expect(warning).toBeVisible()
  await page.getByRole('button', { name: 'Stay signed in' }).click()
  const dialog = page.getByRole('dialog', { name: 'Sign in again' })
  await expectAccessible(page)
  await page.unroute(/auth\.refresh/)
  await dialog.getByRole('button', { name: 'Sign in with a passkey' }).click()
  await expect(dialog).toBeHidden()
  await expect(warning).toBeHidden()
  await expect(words).toHaveValue('half a word')
})
