import { rmSync } from 'node:fs'
import type { Page } from '@playwright/test'
import { Client } from 'pg'
import { findPostgresBinaries, hasLibrary } from '@/db/testing/postgres-place'
import { type PostgresServer, startPostgres } from '@/db/testing/servers'
import { expectAccessibleAtBothWidths } from './accessible'
import { asFirstAdmin, base, expect, keepSignedIn, stepUp } from './fixtures'
import { type RunningConsole, startConsole } from './server'

interface World {
  postgres: PostgresServer
  database: string
  console: RunningConsole
}

const ROWS = 200_000
const SECRET = 'the-word-that-nobody-may-read'
const BY_CUSTOMER = 'SELECT id, total FROM shop_orders WHERE customer_id = $1'

/** A console on a PostgreSQL that counts statements, with a shop's table that lacks an index and has one too many. */
const test = base.extend<{ baseURL: string }, { world: World }>({
  world: [
    // biome-ignore lint/correctness/noEmptyPattern: Playwright reads the names of what a fixture needs from it
    async ({}, use) => {
      const postgres = await startPostgres({ settings: { shared_preload_libraries: 'pg_stat_statements' } })
      const { database } = await postgres.createDatabase('holdfast')
      for (const statement of SHOP) await postgres.query(statement, [], database)
      const { host, port, user, password } = postgres
      const running = await startConsole({
        env: {
          ...{ DB_TYPE: 'postgresql', DB_HOST: host, DB_PORT: String(port), DB_NAME: database },
          ...{ DB_USER: user, DB_PASSWORD: password },
        },
      })
      await use({ postgres, database, console: running })
      await running.stop()
      await postgres.stop()
      rmSync(running.dataDir, { recursive: true, force: true })
    },
    { scope: 'worker' },
  ],
  baseURL: async ({ world }, use) => use(world.console.url),
})

const SHOP = [
  'CREATE EXTENSION pg_stat_statements',
  `CREATE TABLE shop_orders (
     id int PRIMARY KEY, customer_id int NOT NULL, state text NOT NULL, total int NOT NULL, note text NOT NULL)`,
  `INSERT INTO shop_orders
   SELECT id, id % 5000, 'state ' || id % 40, id % 997, repeat('note ', 12) FROM generate_series(1, ${ROWS}) id`,
  'CREATE INDEX shop_orders_state ON shop_orders (state)',
  'CREATE INDEX shop_orders_state_copy ON shop_orders (state)',
  'VACUUM ANALYZE shop_orders',
  'SELECT pg_stat_statements_reset()',
]

test.describe.configure({ mode: 'serial', timeout: 240_000 })
test.skip(
  !hasLibrary(findPostgresBinaries() ?? '', 'pg_stat_statements'),
  'PostgreSQL is installed without pg_stat_statements',
)
const patient = { timeout: 90_000 }

test.beforeEach(async ({ page, world }) => {
  await asFirstAdmin(page, world.console)
})
test.afterEach(async ({ context, world }) => keepSignedIn(context, world.console.url))

/** What an application would send: one statement with another customer each time, and one with a value in its text. */
async function shop({ postgres, database }: World, calls = 60): Promise<void> {
  const { host, port, user, password } = postgres
  const client = new Client({ host, port, user, password, database, application_name: 'shop' })
  await client.connect()
  for (let call = 0; call < calls; call++) await client.query(BY_CUSTOMER, [(call * 83) % 5000])
  await client.query(`SELECT count(*) FROM shop_orders WHERE note LIKE '%${SECRET}%'`)
  await client.end()
}

/** More than are listed at first. */
async function manyStatements({ postgres, database }: World): Promise<void> {
  const names = Array.from({ length: 110 }, (_, at) => `SELECT 1 AS number_${at}`)
  for (const text of names) await postgres.query(text, [], database)
}

/** What an earlier day left of one statement: from 50 calls an hour to 62, of 40 ms each. */
async function countYesterday({ postgres, database }: World, fingerprint: string): Promise<void> {
  const hour = 3_600_000
  const now = Math.floor(Date.now() / hour) * hour
  await postgres.query(
    `INSERT INTO statement_rollups (id, fingerprint, at, writer, calls, total)
     SELECT $1 || ':' || at || ':server', $1, at, 'server', 50 + n, (50 + n) * 40000
       FROM generate_series(0, 12) n, LATERAL (SELECT $2::bigint + n * 3600000 AS at) hours`,
    [fingerprint, now - 20 * hour],
    database,
  )
}

async function indexesOf({ postgres, database }: World): Promise<string[]> {
  const rows = await postgres.query<{ indexname: string }>(
    "SELECT indexname FROM pg_indexes WHERE tablename = 'shop_orders' ORDER BY 1",
    [],
    database,
  )
  return rows.map(({ indexname }) => indexname)
}

const statements = (page: Page) => page.getByRole('table', { name: 'Statements', exact: true })
const changes = (page: Page) => page.getByRole('table', { name: 'Indexes made or dropped from here' })
const problems = (page: Page) => page.getByRole('table', { name: /^Problems of indexes/ })
const advised = (page: Page) => page.getByRole('article', { name: /^shop_orders \(customer_id/ })

test('statements are ranked by their time, found by their text, and shown without anybody’s values', async ({
  page,
  world,
}) => {
  await shop(world)
  await manyStatements(world)
  await page.goto('/database/queries')
  await expect(page.getByText('What all clients of this database sent')).toBeVisible()
  await expect(statements(page).getByRole('rowheader')).toHaveCount(100)
  await page.getByRole('button', { name: /^Show all \d+ statements$/ }).click()
  await expect(statements(page).getByRole('rowheader').nth(100)).toBeAttached()
  const first = statements(page).getByRole('row').nth(1)
  await expect(first).toContainText(/from shop_orders where customer_id = \$1/i)
  await expect(first.getByRole('cell').nth(2)).toHaveText('60')

  await statements(page).getByRole('button', { name: 'Calls', exact: true }).click()
  await expect(page).toHaveURL(/sort=-calls/)
  await page.getByLabel('Text of the statement').fill('shop_orders WHERE note')
  await expect(page).toHaveURL(/text=shop_orders/)
  await expect(statements(page).getByRole('rowheader')).toHaveCount(1)
  await page.reload()
  await expect(statements(page).getByRole('rowheader')).toHaveCount(1)
  expect(await page.content()).not.toContain(SECRET)
  await page.getByLabel('Text of the statement').fill('no statement says this')
  await expect(page.getByText('No statement fits the filter')).toBeVisible()
  await page.getByRole('button', { name: 'Show all statements' }).click()
  // Some rows are as good as all for axe, which takes a minute for 150.
  await page.getByLabel('Text of the statement').fill('shop_orders')
  await expectAccessibleAtBothWidths(page)
})

test('a statement has an address of its own, with its text, its plan and its past', async ({
  page,
  world,
}) => {
  await page.goto('/database/queries?text=customer_id')
  await statements(page)
    .getByRole('button', { name: /from shop_orders where customer_id/i })
    .click()
  const drawer = page.getByRole('dialog', { name: 'Statement' })
  await expect(page).toHaveURL(/statement=[0-9a-f]{16,}/)
  await expect(drawer.getByText(/^where customer_id = \$1$/im)).toBeVisible()
  await expect(drawer.getByRole('region', { name: 'Plan of the statement' })).toContainText(
    'Seq Scan on shop_orders',
  )
  await expect(drawer.getByRole('link', { name: /^See the index/ })).toBeVisible(patient)
  await expectAccessibleAtBothWidths(page)
  const address = page.url()
  await countYesterday(world, new URL(address).searchParams.get('statement') ?? '')
  await drawer.getByRole('button', { name: 'Close' }).click()
  await expect(page).not.toHaveURL(/statement=/)
  await page.goto(address)
  const calls = drawer.getByRole('figure', { name: 'Calls an hour' })
  await expect(calls.locator('.recharts-line-curve')).toBeVisible(patient)
  await expect(calls).toContainText('between 50 and 62')
  await expect(drawer.getByRole('figure', { name: 'Mean time' })).toContainText('40 ms')
  await expectAccessibleAtBothWidths(page)
  await page
    .getByRole('dialog')
    .getByRole('link', { name: /^See the index/ })
    .click()
  await page.waitForURL(/\/database\/indexes#advice-/)
  await page.goto('/database/queries?statement=0123456789abcdef')
  await expect(page.getByText('This statement is not in the list')).toBeVisible()
})

test('an advised index is made by an admin, measured, and taken back', async ({ page, world }) => {
  await page.goto('/database/indexes')
  await page.getByRole('button', { name: 'Look again' }).click()
  await expect(advised(page)).toBeVisible(patient)
  await expect(advised(page).getByText(/^CREATE INDEX CONCURRENTLY /)).toBeVisible()
  await expect(advised(page).getByRole('link', { name: /from shop_orders where customer_id/i })).toBeVisible()
  await expectAccessibleAtBothWidths(page)

  await advised(page).getByRole('button', { name: 'Make this index' }).click()
  await expect(page.getByRole('dialog')).toContainText('Reads and writes go on while it is built.')
  await stepUp(page, 'Make this index')
  const row = changes(page).getByRole('row', { name: /customer_id/ })
  await expect(row).toContainText('Applied', patient)
  await expect(advised(page)).toHaveCount(0, patient)
  expect((await indexesOf(world)).filter((name) => name.includes('customer_id'))).toHaveLength(1)

  await expect(row).toContainText('60 calls')
  await expect(row).toContainText('waits for more calls')
  await shop(world)
  await expect(row).toContainText(/[\d,.]+× faster/, patient)
  await row
    .getByRole('button', { name: /customer_id/ })
    .first()
    .click()
  const drawer = page.getByRole('dialog')
  await expect(page).toHaveURL(/change=/)
  await expect(drawer.getByText(/^DROP INDEX/)).toBeVisible()
  await expect(drawer.getByText(/over 60 calls/).last()).toBeVisible()
  await expectAccessibleAtBothWidths(page)
  await page.goBack()

  await row.getByRole('button', { name: /^Undo/ }).click()
  await stepUp(page, 'Undo')
  await expect(row).toContainText('Undone', patient)
  expect((await indexesOf(world)).filter((name) => name.includes('customer_id'))).toEqual([])
})

test('an index that does nothing is dropped once its name is typed', async ({ page, world }) => {
  await page.goto('/database/indexes')
  await page.getByRole('button', { name: 'Look again' }).click()
  const row = problems(page).getByRole('row', { name: /Duplicate index/ })
  await expect(row).toBeVisible(patient)
  const name = (await row.getByRole('button', { name: /^Drop / }).getAttribute('aria-label'))?.slice(5) ?? ''
  expect(name).toMatch(/^shop_orders_state/)
  await row.getByRole('button', { name: /^Drop / }).click()
  const dialog = page.getByRole('dialog')
  await expect(dialog.getByRole('button', { name: 'Drop the index' })).toBeDisabled()
  await dialog.getByRole('textbox').fill(name)
  await stepUp(page, 'Drop the index')
  await expect(changes(page).getByRole('row', { name: new RegExp(`${name}.*Dropped.*Applied`) })).toBeVisible(
    patient,
  )
  expect(await indexesOf(world)).not.toContain(name)
})

test('tables show size, use and upkeep, each with its indexes', async ({ page }) => {
  await page.goto('/database/tables')
  const tables = page.getByRole('table', { name: 'Tables', exact: true })
  await expect(tables.getByRole('row').nth(1)).toContainText('shop_orders')
  await expect(tables.getByRole('row').nth(1)).toContainText('200,000')
  await page.getByLabel('Table or index').fill('shop_orders_state')
  await expect(tables.getByRole('rowheader')).toHaveCount(1)
  await expectAccessibleAtBothWidths(page)
  await tables.getByRole('button', { name: 'shop_orders' }).click()
  const drawer = page.getByRole('dialog', { name: 'shop_orders' })
  await expect(drawer.getByText('primary key')).toBeVisible()
  await expect(drawer.getByText(/^CREATE INDEX shop_orders_state/).first()).toBeVisible()
  await expectAccessibleAtBothWidths(page)
  await page.goBack()
  await page.getByRole('button', { name: 'Analyse', exact: true }).click()
  await expect(page.getByText(/Renewed the statistics of \d+ tables/)).toBeVisible(patient)
})
