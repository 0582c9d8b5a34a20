import type { BrowserContext } from '@playwright/test'
import { expectAccessibleAtBothWidths } from './accessible'
import { asFirstAdmin, consoleTest, expect, keepSignedIn } from './fixtures'

const test = consoleTest()

// Each worker starts a console of its own and takes its part of the pages.
test.describe.configure({ mode: 'parallel' })

/** Every page of the console with the heading by which it is known. */
const PAGES = {
  '/': 'Overview',
  '/database': 'Database',
  '/database?range=1h': 'Database',
  '/database/sessions': 'Sessions',
  // A few statements look like all of them do, over which axe takes a quarter of a minute.
  '/database/queries?text=session': 'Queries',
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
  '/security/activity': 'Activity',
  '/security/findings': 'Findings',
  '/security/alerts': 'Alerts',
  '/security/blocks': 'Blocks and limits',
  '/security/users': 'Users and roles',
  '/security/sessions': 'Sessions',
  '/migration': 'Migration',
  '/migration/new': 'New migration',
  '/account': 'Account',
  '/system': 'System',
  '/system/hardening': 'Hardening',
  '/system/configuration': 'Configuration',
  '/system/api-keys': 'API keys',
  '/system/signing-keys': 'Signing keys',
  '/system/api': 'API reference',
  '/system/api/migration.create': 'POST /api/infrastructure/migration/plan',
  '/nowhere': 'No page has this address',
}

let context: BrowserContext

test.beforeAll('the first admin', async ({ browser, console }) => {
  context = await browser.newContext({ baseURL: console.url })
  const page = await context.newPage()
  // One worker may take both halves of the pages: it has an admin then.
  await asFirstAdmin(page, console)
  await page.close()
})
test.afterAll(async ({ console }) => {
  await keepSignedIn(context, console.url)
  await context.close()
})

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
    await page.goto(path)
    await expect(page.getByRole('heading', { level: 1, name: heading })).toBeVisible()
    await expectAccessibleAtBothWidths(page)
    expect({ elsewhere, violations }).toEqual({ elsewhere: [], violations: [] })
    await page.close()
  })
}
