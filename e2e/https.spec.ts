import { base, expect, setUp, signIn } from './fixtures'
import { control, measuredAt } from './live'
import { type Proxied, startBehind } from './proxy'

/** What browsers give to https alone, or see only there: nginx with the configuration of ops, and its certificate. */
const test = base.extend<{ baseURL: string }, { proxied: Proxied }>({
  proxied: [
    // biome-ignore lint/correctness/noEmptyPattern: Playwright reads the names of what a fixture needs from it
    async ({}, use) => {
      const proxied = await startBehind('nginx')
      await use(proxied)
      await proxied.stop()
    },
    { scope: 'worker' },
  ],
  baseURL: async ({ proxied }, use) => use(proxied.url),
})
test.use({ ignoreHTTPSErrors: true })

test('a passkey is made and signs in over https through nginx, and figures tick', async ({
  page,
  proxied,
}) => {
  await setUp(page, proxied.console.setUpLink ?? '')
  const cookies = (await page.context().cookies()).filter(({ name }) => /-(access|refresh)$/.test(name))
  expect(cookies.map(({ name }) => name).sort()).toEqual([
    '__Host-holdfast-access',
    '__Host-holdfast-refresh',
  ])
  for (const { secure, httpOnly, path } of cookies) {
    expect({ secure, httpOnly, path }).toEqual({ secure: true, httpOnly: true, path: '/' })
  }

  await page.getByRole('button', { name: /^Account menu/ }).click()
  await page.getByRole('menuitem', { name: 'Sign out' }).click()
  await page.waitForURL((url) => url.pathname === '/sign-in')
  await signIn(page)
  expect(new URL(page.url()).origin).toBe(proxied.url)
  await expect(control(page, 'Live')).toBeVisible()
  const first = await measuredAt(page, 'Resident memory')
  await expect.poll(() => measuredAt(page, 'Resident memory')).toBeGreaterThan(first + 2_000)
})
