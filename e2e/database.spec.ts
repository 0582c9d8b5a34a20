import { rmSync } from 'node:fs'
import type { Locator, Page } from '@playwright/test'
import { Client } from 'pg'
import { type PostgresServer, type ReplicaServer, startPostgres, startReplica } from '@/db/testing/servers'
import { expectAccessible, expectAccessibleAtBothWidths } from './accessible'
import { asFirstAdmin, base, expect, keepSignedIn } from './fixtures'
import { type RunningConsole, startConsole } from './server'

interface World {
  primary: PostgresServer
  replica: ReplicaServer
  database: string
  console: RunningConsole
}

/** A console on PostgreSQL with a streaming replica. */
const test = base.extend<{ baseURL: string }, { world: World }>({
  world: [
    // biome-ignore lint/correctness/noEmptyPattern: Playwright reads the names of what a fixture needs from it
    async ({}, use) => {
      const primary = await startPostgres()
      const replica = await startReplica(primary)
      const { database } = await primary.createDatabase('holdfast')
      const { host, port, user, password } = primary
      const running = await startConsole({
        env: {
          ...{ DB_TYPE: 'postgresql', DB_HOST: host, DB_PORT: String(port), DB_NAME: database },
          ...{ DB_USER: user, DB_PASSWORD: password },
          ...{ DB_READ_HOST: replica.host, DB_READ_PORT: String(replica.port) },
        },
      })
      await use({ primary, replica, database, console: running })
      await running.stop()
      await replica.stop()
      await primary.stop()
      rmSync(running.dataDir, { recursive: true, force: true })
    },
    { scope: 'worker' },
  ],
  baseURL: async ({ world }, use) => use(world.console.url),
})

test.describe.configure({ mode: 'serial', timeout: 240_000 })
const patient = { timeout: 60_000 }

const clients: Client[] = []

test.beforeEach(async ({ page, world }) => {
  if (!(await asFirstAdmin(page, world.console))) return
  await world.primary.query('CREATE TABLE orders (id int PRIMARY KEY, state text)', [], world.database)
  await world.primary.query("INSERT INTO orders VALUES (1, 'new'), (2, 'new')", [], world.database)
})

test.afterEach(async ({ context, world }) => {
  await keepSignedIn(context, world.console.url)
  await Promise.all(clients.splice(0).map((client) => client.end().catch(() => undefined)))
})

/** A client of another application, with the id of its session. */
async function connect({ primary, database }: World, application: string) {
  const { host, port, user, password } = primary
  const client = new Client({ host, port, user, password, database, application_name: application })
  client.on('error', () => undefined)
  clients.push(client)
  await client.connect()
  const { rows } = await client.query<{ pid: number }>('SELECT pg_backend_pid() AS pid')
  return { client, pid: rows[0]?.pid as number }
}

/** One session holds a row, and each of the others waits for it or for who waits already. */
async function blocked(world: World) {
  const holder = await connect(world, 'shop')
  const waiter = await connect(world, 'report')
  await holder.client.query('BEGIN')
  await holder.client.query("UPDATE orders SET state = 'a zebra word' WHERE id = 1")
  const ended = waiter.client
    .query("UPDATE orders SET state = 'another zebra' WHERE id = 1")
    .then(() => 'done')
    .catch((error: { code?: string }) => error.code ?? String(error))
  return { holder, waiter, ended }
}

const sessions = (page: Page) =>
  page.getByRole('table', { name: 'Sessions, each under the one it waits for' })
const rowOf = (page: Page, pid: number) =>
  sessions(page)
    .getByRole('row')
    .filter({ has: page.getByRole('button', { name: String(pid), exact: true }) })
const pids = async (page: Page) =>
  (await sessions(page).getByRole('rowheader').allTextContents()).map((text) => Number(text.trim()))
/** Pointer and focus off the table, which stands still under them. */
const leave = (page: Page) => page.getByRole('heading', { level: 1 }).click()

test('a session that waits stands under the one it waits for, without anybody’s values', async ({
  page,
  world,
}) => {
  const { holder, waiter, ended } = await blocked(world)
  await page.goto('/database/sessions')
  await expect(rowOf(page, waiter.pid)).toContainText(`${holder.pid}, Lock: transactionid`, patient)
  await expect(rowOf(page, holder.pid)).toContainText('Idle in transaction')
  await expect(rowOf(page, holder.pid)).toContainText('Holds up 1 session')
  const order = await pids(page)
  expect(order.indexOf(waiter.pid)).toBe(order.indexOf(holder.pid) + 1)
  expect(await indent(rowOf(page, waiter.pid))).toBeGreaterThan(await indent(rowOf(page, holder.pid)))
  expect(await page.content()).not.toContain('zebra')
  await expectAccessibleAtBothWidths(page)

  // The box follows the address, which a busy browser changes a moment later.
  await page.getByLabel('Only who waits or is waited for').click()
  await expect(page).toHaveURL(/blocked=1/)
  await expect.poll(() => pids(page)).toEqual([holder.pid, waiter.pid])
  await page.reload()
  await expect(page.getByLabel('Only who waits or is waited for')).toBeChecked()
  await page.getByLabel('Text in any column').fill('report')
  await leave(page)
  await expect.poll(() => pids(page)).toEqual([waiter.pid])
  await holder.client.query('ROLLBACK')
  expect(await ended).toBe('done')
  await expect(page.getByText('No session fits the filter').or(page.getByText('Nobody waits'))).toBeVisible()
})

async function indent(row: Locator): Promise<number> {
  const name = row.getByRole('rowheader').locator('span').last()
  return (await name.boundingBox())?.x ?? Number.NaN
}

test('the list stands still under the pointer and goes on after it', async ({ page, world }) => {
  await page.goto('/database/sessions')
  await sessions(page).getByRole('rowheader').first().hover()
  await expect(page.getByText('Stands still while you are on it')).toBeVisible()
  const { pid } = await connect(world, 'latecomer')
  const answered = page.waitForResponse((response) => response.url().includes('database.sessions'))
  await (await answered).text()
  await expect(rowOf(page, pid)).toHaveCount(0)
  await leave(page)
  await expect(rowOf(page, pid)).toBeVisible()
})

test('a statement is cancelled and its session goes on', async ({ page, world }) => {
  const { holder, waiter, ended } = await blocked(world)
  await page.goto('/database/sessions')
  await rowOf(page, waiter.pid).getByRole('button').click(patient)
  await expect(page).toHaveURL(new RegExp(`session=${waiter.pid}-`))
  const drawer = page.getByRole('dialog', { name: `Session ${waiter.pid}` })
  await expect(drawer).toContainText(/UPDATE orders\s+SET state = /)
  await expectAccessibleAtBothWidths(page)
  await drawer.getByRole('button', { name: 'Cancel statement' }).click()
  expect(await ended).toBe('57014')
  await expect(page.getByText(`The statement of session ${waiter.pid} was cancelled.`)).toBeVisible()
  expect((await waiter.client.query('SELECT 1 AS one')).rows).toEqual([{ one: 1 }])
  await drawer.getByRole('button', { name: 'Close' }).click()
  await expect(page).not.toHaveURL(/session=/)
  await holder.client.query('ROLLBACK')
})

test('a session is ended after its effect was said, and one that has gone is said to have gone', async ({
  page,
  world,
}) => {
  const { holder, ended } = await blocked(world)
  await page.goto('/database/sessions')
  await rowOf(page, holder.pid).getByRole('button').click(patient)
  const drawer = page.getByRole('dialog', { name: `Session ${holder.pid}` })
  await drawer.getByRole('button', { name: 'Terminate session…' }).click()
  const dialog = page.getByRole('dialog', { name: `Terminate session ${holder.pid}?` })
  await expect(dialog).toContainText('Its open transaction is rolled back')
  await expectAccessible(page)
  await dialog.getByRole('button', { name: 'Terminate session' }).click()
  expect(await ended).toBe('done')
  await expect(page.getByText('This session has ended')).toBeVisible()
  expect(await holder.client.query('SELECT 1').catch(() => 'gone')).toBe('gone')
  await page.getByRole('dialog').getByRole('button', { name: 'Close' }).click()

  // With the live values paused the page does not learn that the session went by itself.
  await leave(page)
  const guest = await connect(world, 'guest')
  await expect(rowOf(page, guest.pid)).toBeVisible()
  await page.locator('header').getByText('Live', { exact: true }).click()
  await rowOf(page, guest.pid).getByRole('button').click()
  await guest.client.end()
  await page.getByRole('button', { name: 'Terminate session…' }).click()
  const last = page.getByRole('dialog', { name: `Terminate session ${guest.pid}?` })
  await last.getByRole('button', { name: 'Terminate session' }).click()
  await expect(last).toContainText('That session has ended meanwhile.')
})

test('the console’s own connections are marked, and to end one warns', async ({ page }) => {
  await page.goto('/database/sessions?text=holdfast')
  const own = sessions(page).getByRole('row').filter({ hasText: 'this console' }).first()
  await own.getByRole('button').click(patient)
  await expect(page.getByRole('dialog')).toContainText('A connection of this console')
  await page.getByRole('button', { name: 'Terminate session…' }).click()
  await expect(page.getByRole('dialog').last()).toContainText('one of this console’s own connections')
})

test('replicas show their role and how far they are behind', async ({ page, world }) => {
  await page.goto('/database/replicas')
  const nodes = page.getByRole('table', { name: 'Nodes', exact: true })
  const replica = nodes.getByRole('row').filter({ hasText: `:${world.replica.port}` })
  const primary = nodes.getByRole('row').filter({ hasText: `:${world.primary.port}` })
  await expect(primary).toContainText('Primary', patient)
  await expect(primary).toContainText('writes')
  await expect(replica).toContainText('Replica')
  await expect(replica).toContainText('reads')
  await expect(page.getByRole('table', { name: 'Replicas that follow the primary' })).toContainText(
    'streaming',
  )
  await expectAccessibleAtBothWidths(page)

  await world.replica.query('SELECT pg_wal_replay_pause()')
  await world.primary.query('CREATE TABLE filler AS SELECT g, md5(g::text) FROM generate_series(1, 300000) g')
  await expect(replica).toContainText(/\d MiB/, patient)
  await world.replica.query('SELECT pg_wal_replay_resume()')
  await expect(replica).not.toContainText(/\d MiB/, patient)
  await world.primary.query('DROP TABLE filler')
})

test('pools show each node, times, limits and how the pool works with the server', async ({
  page,
  world,
}) => {
  await page.goto('/database')
  await expect(page.getByRole('table', { name: /^Times/ })).toContainText('Wait for a connection')
  const nodes = page.getByRole('table', { name: 'Pools of the nodes' })
  await expect(nodes).toContainText(`:${world.replica.port}`)
  await expect(nodes.getByRole('row')).toHaveCount(3)
  await expect(page.getByText('Every connection came back in time')).toBeVisible()
  const prepared = page
    .locator('div', { has: page.locator('> dt', { hasText: 'Prepared statements' }) })
    .last()
  await expect(prepared).toContainText('On')
})

test('the connection test says the step that fails and what to do, and that a good one is good', async ({
  page,
  world,
}) => {
  const { host, port, user, password } = world.primary
  await page.goto('/database/test')
  await page.getByRole('textbox', { name: 'Host' }).fill(host)
  await page.getByLabel('Port').fill(String(port))
  await page.getByRole('textbox', { name: 'Database' }).fill(world.database)
  await page.getByRole('textbox', { name: 'Role' }).fill(user)
  await page.getByLabel('Password', { exact: true }).fill('not the password')
  await page.getByRole('button', { name: 'Test the connection' }).click()
  const steps = page.getByRole('list', { name: 'Steps of the connection test' })
  const step = (name: string) => steps.getByRole('listitem').filter({ hasText: name }).first()
  await expect(step('Authentication')).toContainText('Failed')
  await expect(step('Authentication')).toContainText('What to do:')
  await expect(step('Version')).toContainText('Not tried')
  await expectAccessibleAtBothWidths(page)
  await page.getByLabel('Password', { exact: true }).fill(password)
  await page.getByRole('button', { name: 'Test the connection' }).click()
  await expect(step('Authentication')).toContainText('Good')
  await expect(page.getByText(/^Holdfast can work with this server/)).toBeVisible()
})

test('the range reaches back for hours: charts show what is stored, a window of it, and go back', async ({
  page,
}) => {
  await page.goto('/database')
  const chart = page.getByRole('figure', { name: 'Queries per second' })
  await expect(chart.getByRole('slider')).toBeVisible()
  await page.getByRole('button', { name: /^Time range/ }).click()
  await page.getByRole('menuitemradio', { name: 'Last hour' }).click()
  await expect(page).toHaveURL(/range=1h/)
  // The first minute is stored when it has passed.
  await expect(chart.locator('.recharts-surface')).toBeVisible({ timeout: 150_000 })
  await expect(chart).toContainText(/Queries: mean .* at most/)
  const height = await chart.evaluate((figure) => figure.clientHeight)
  await chart.getByRole('button', { name: 'Table' }).click()
  await expect(chart.getByRole('columnheader', { name: 'Queries, highest' })).toBeVisible()
  await chart.getByRole('button', { name: 'Table' }).click()
  await expectAccessibleAtBothWidths(page)

  const plot = await chart.locator('[data-brush]').boundingBox()
  if (!plot) throw new Error('the chart has no plot')
  const middle = plot.y + plot.height / 2
  await page.mouse.move(plot.x + plot.width * 0.25, middle)
  await page.mouse.down()
  await page.mouse.move(plot.x + plot.width * 0.5, middle, { steps: 4 })
  await page.mouse.up()
  await expect(page).toHaveURL(/from=\d+/)
  const { searchParams } = new URL(page.url())
  const width = Number(searchParams.get('to')) - Number(searchParams.get('from'))
  expect(width).toBeGreaterThan(14 * 60_000)
  expect(width).toBeLessThan(16 * 60_000)
  await expect(chart).toContainText('No history of this time is stored')
  await expect(chart).toContainText('There is history since')
  // As high as with a chart, so that nothing moves from one to the other.
  expect(await chart.evaluate((figure) => figure.clientHeight)).toBe(height)
  await page.goBack()
  await expect(chart.locator('.recharts-surface')).toBeVisible()
  await page.goBack()
  await expect(chart.getByRole('slider')).toBeVisible()
})

test('without a primary every page says that it is read-only, until there is one again', async ({
  page,
  world,
}) => {
  await page.goto('/database/replicas')
  const banner = page.getByText(/^Read-only since/)
  await expect(page.getByRole('table', { name: 'Nodes', exact: true })).toContainText('Primary', patient)
  await expect(banner).toBeHidden()
  await world.primary.kill9()
  await expect(banner).toBeVisible(patient)
  await expect(page.getByRole('table', { name: 'Changes among the nodes, the newest first' })).toContainText(
    'Primary lost',
    patient,
  )
  await expectAccessible(page)
  await world.primary.start()
  await expect(banner).toBeHidden(patient)
})
