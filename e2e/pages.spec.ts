import type { BrowserContext } from '@playwright/test'
import { expectAccessible } from './accessible'
import { consoleTest, expect, setUp } from './fixtures'

const test = consoleTest()

/** Every page of the console with the heading by which it is known. */
const PAGES = {
  '/': 'Overview',
  '/database': 'Database',
  '/database?range=1h': 'Database',
  '/database/sessions': 'Sessions',
  '/database/queries': 'Queries',
  '/database/indexes': 'Index advice',
  '/database/tables': 'Tables',
  '/database/replicas': 'Replicas',
  '/database/test': 'Connection test',
  '/cache': 'Cache',
  '/cache/keys': 'Namespaces and keys',
  '/cache/nodes': 'Nodes',
  '/cache/slow-log': 'Slow log',
  '/cache/memory': 'Memory',
  '/cache/outbound': 'Outbound HTTP',
  '/security': 'Security',
  '/security/users': 'Users and roles',
  '/security/sessions': 'Sessions',
  '/migration': 'Migration',
  '/migration/new': 'New migration',
  '/account': 'Account',
  '/system': 'System',
  '/system/api-keys': 'API keys',
  '/system/signing-keys': 'Signing keys',
  '/nowhere': 'No page has this address',
}

let context: BrowserContext

test.beforeAll('the first admin', async ({ browser, console }) => {
  context = await browser.newContext({ baseURL: console.url })
  const page = await context.newPage()
  await setUp(page, console.setUpLink ?? '')
  await page.close()
})
test.afterAll(() => context.close())

for (const [path, heading] of Object.entries(PAGES)) {
  test(`${path} is accessible in both themes, wide and narrow, and asks no other address`, async ({
    console,
  }) => {
    // One session for all pages: a sign-in takes as long as a page's checks.
    const page = await context.newPage()
    const elsewhere: string[] = []
    const violations: string[] = []
    page.on('request', (request) => {
      if (!request.url().startsWith(console.url)) elsewhere.push(request.url())
    })
    page.on('console', (message) => {
      if (/content security policy/i.test(message.text())) violations.push(message.text())
    })
    for (const width of [1440, 320]) {
      await page.setViewportSize({ width, height: 900 })
      await page.goto(path)
      await expect(page.getByRole('heading', { level: 1, name: heading })).toBeVisible()
      await expectAccessible(page)
    }
    expect({ elsewhere, violations }).toEqual({ elsewhere: [], violations: [] })
    await page.close()
  })
}
