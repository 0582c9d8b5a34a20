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
