import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Page } from '@playwright/test'
import Database from 'better-sqlite3'
import { makeLibrary } from '@/db/testing/library'
import { type PostgresServer, startPostgres } from '@/db/testing/servers'
import { expectAccessibleAtBothWidths } from './accessible'
import { asFirstAdmin, base, call, expect, keepSignedIn, stepUp, withPasskey } from './fixtures'
import { openAlive } from './live'
import { type RunningConsole, startConsole } from './server'

interface World {
  postgres: PostgresServer
  console: RunningConsole
  sources: string
  /** Database that receives the tables. */
  target: string
}

/** One console for the file, with a PostgreSQL of its own and a folder of sources. */
const test = base.extend<{ baseURL: string }, { world: World }>({
  world: [
    // biome-ignore lint/correctness/noEmptyPattern: Playwright reads the names of what a fixture needs from it
    async ({}, use) => {
      const postgres = await startPostgres()
      const { database } = await postgres.createDatabase('library')
      const sources = mkdtempSync(join(tmpdir(), 'holdfast-sources-'))
      makeLibrary(join(sources, 'library.db'), 6_000)
      const { host, port, user, password } = postgres
      const place = { DB_HOST: host, DB_PORT: String(port), DB_USER: user, DB_PASSWORD: password }
      const console = await startConsole({
        env: { ...place, DB_NAME: database, MIGRATION_SOURCE_DIRS: sources },
      })
      await use({ postgres, sources, console, target: database })
      await console.stop()
      await postgres.stop()
      rmSync(sources, { recursive: true, force: true })
    },
    { scope: 'worker' },
  ],
  baseURL: async ({ world }, use) => use(world.console.url),
})

test.describe.configure({ mode: 'serial', timeout: 180_000 })
const patient = { timeout: 60_000 }

test.beforeEach(async ({ page, world }) => {
  await asFirstAdmin(page, world.console)
})
test.afterEach(({ context, world }) => keepSignedIn(context, world.console.url))

/** Plans a run of the library into a schema, and ends on its page. */
async function planned(page: Page, schema: string): Promise<void> {
  await page.goto('/migration/new')
  await page.getByRole('radio', { name: 'library.db' }).check()
  await page.getByRole('textbox', { name: 'Schema' }).fill(schema)
  await page.getByRole('button', { name: 'Check and plan' }).click()
  await page.waitForURL(/\/migration\/[0-9a-f-]{36}$/)
  await expect(page.getByRole('button', { name: 'Start', exact: true })).toBeEnabled(patient)
}

/** A table with a text among its numbers, and another one. */
function makeMixed(file: string): void {
  const db = new Database(file)
  db.exec(`
    CREATE TABLE people (id INTEGER PRIMARY KEY, name TEXT NOT NULL, age INTEGER, scratch TEXT);
    INSERT INTO people VALUES (1, 'Ana', 5, NULL), (2, 'Ben', 'x', ''), (3, 'Cleo', 30, 'y');
    CREATE TABLE notes (id INTEGER PRIMARY KEY, text TEXT)`)
  db.close()
}

async function started(page: Page): Promise<void> {
  await page.getByRole('button', { name: 'Start', exact: true }).click()
  await stepUp(page, 'Start the migration')
  await expect(page.getByText('Both sides are the same')).toBeVisible(patient)
}

test('two runs of the history are compared side by side, and deleted together', async ({ page }) => {
  for (const schema of ['first', 'second']) {
    await planned(page, schema)
    await started(page)
  }
  await page.goto('/migration')
  const ticks = page.getByRole('checkbox', { name: /^Select library\.db/ })
  await ticks.nth(0).focus()
  await page.keyboard.press('Space')
  await expect(page.getByRole('button', { name: 'Compare', exact: true })).toBeDisabled()
  await ticks.nth(1).check()
  await expectAccessibleAtBothWidths(page)
  await page.getByRole('button', { name: 'Compare', exact: true }).click()
  await page.waitForURL(/\/migration\/compare\?a=/)
  const figures = page.getByRole('table', { name: 'Two runs side by side' })
  await expect(figures.getByRole('row', { name: /^Both sides the same the same/ })).toBeVisible()
  await expect(figures.getByRole('row', { name: /^Phase transfer/ })).toBeVisible()
  await expect(page.getByRole('table', { name: 'Tables of both runs' }).getByRole('row')).toHaveCount(7)
  await expectAccessibleAtBothWidths(page)
  await page.reload()
  await expect(figures).toBeVisible()

  await page.getByRole('link', { name: 'All runs' }).click()
  await ticks.nth(0).check()
  await ticks.nth(1).check()
  await page.getByRole('button', { name: 'Delete 2 runs' }).click()
  await page.getByRole('dialog').getByRole('button', { name: 'Delete', exact: true }).click()
  await expect(page.getByText('Nothing has been migrated yet')).toBeVisible()
})

test('the report of a planned run and its choices are downloaded', async ({ page }) => {
  await planned(page, 'third')
  const download = page.waitForEvent('download')
  await page.getByRole('link', { name: 'Download HTML' }).click()
  const file = await download
  expect(file.suggestedFilename()).toMatch(/^migration-[0-9a-f-]{36}-report\.html$/)
  expect(readFileSync(await file.path(), 'utf8')).toContain('The run is planned.')
  const id = new URL(page.url()).pathname.split('/').at(-1)
  const choices = await page.request.get(`/api/migration/${id}/choices.json`)
  expect(await choices.json()).toMatchObject({ version: 1, tables: { books: { target: 'books' } } })
  const none = await page.request.get(`/api/migration/${id}/passwords.txt`)
  expect(none.status()).toBe(404)
  expect(await none.json()).toMatchObject({
    code: 'NOT_FOUND',
    remedy: expect.stringContaining('report.html'),
  })
})

test('a page, an action, a key, a user, a run and a namespace are found by the keyboard alone', async ({
  page,
  world,
}) => {
  const searches: string[] = []
  page.on('request', (request) => {
    if (request.url().includes('system.search')) searches.push(request.url())
  })
  const palette = page.getByRole('dialog', { name: 'Search and commands' })
  const find = async (text: string, option: RegExp) => {
    await page.keyboard.press('Control+k')
    await expect(palette.getByRole('combobox')).toBeFocused()
    await page.keyboard.type(text)
    await expect(palette.getByRole('option', { selected: true })).toHaveAccessibleName(option)
    await page.keyboard.press('Enter')
    await expect(palette).toBeHidden()
  }
  await openAlive(page, '/')
  await find('o', /^Overview/)
  expect(searches).toEqual([])
  await find('slow', /^Cache: Slow log/)
  await expect(page.getByRole('heading', { level: 1, name: 'Slow log' })).toBeVisible()

  await find('make an', /^Make an API key/)
  const dialog = page.getByRole('dialog')
  await dialog.getByLabel('Name').fill('Dashboard')
  await dialog.getByRole('group', { name: 'Database' }).getByRole('checkbox').first().check()
  await dialog.getByRole('button', { name: 'Make the key' }).click()
  await withPasskey(page, world.console.url)
  await page.getByRole('dialog').last().getByRole('button', { name: 'Make the key', exact: true }).click()
  await page.getByRole('button', { name: 'I saved it' }).click()
  expect(new URL(page.url()).search).toBe('')

  for (const [text, option, address, heading] of [
    ['dashb', /^Dashboard hf_/, /\/system\/api-keys\?key=/, 'API key Dashboard'],
    ['ana@ex', /^Ana Admin ana@example.org/, /\/security\/users\?user=/, 'Ana Admin'],
    ['statist', /^statistics/, /\/cache\?namespace=statistics$/, 'Namespace statistics'],
  ] as const) {
    await find(text, option)
    await page.waitForURL(address)
    await expect(page.getByRole('dialog').getByRole('heading', { name: heading })).toBeVisible()
    await expectAccessibleAtBothWidths(page)
    await page.keyboard.press('Escape')
  }
  await page.keyboard.press('Control+k')
  await expect(palette.getByRole('combobox')).toBeFocused()
  await page.keyboard.type('ana')
  await expect(palette.getByRole('option', { name: /^Ana Admin ana@example.org/ })).toBeVisible()
  await expectAccessibleAtBothWidths(page)
  await page.keyboard.type(' is not here')
  await expect(palette.getByText('Nothing has that name.')).toBeVisible()
  await expectAccessibleAtBothWidths(page)
  await page.keyboard.press('Escape')
  await find('library', /^library.db to .*planned$/)
  await page.waitForURL(/\/migration\/[0-9a-f-]{36}$/)
})

test('types, names and what stays behind are chosen, saved as a file, loaded again and followed', async ({
  page,
  world,
}) => {
  makeMixed(join(world.sources, 'mixed.db'))
  await page.goto('/migration/new')
  await page.getByRole('radio', { name: 'mixed.db' }).check()
  await page.getByRole('textbox', { name: 'Schema' }).fill('chosen')
  await page.getByRole('button', { name: 'Check and plan' }).click()
  await page.getByRole('button', { name: 'people', exact: true }).click(patient)
  const drawer = page.getByRole('dialog')
  await drawer.getByLabel('Name in PostgreSQL').fill('persons')
  const age = drawer.getByRole('group', { name: 'Column age' })
  await age.getByLabel('Type').selectOption('bigint')
  await expect(age.getByText('1 row would be rejected: x')).toBeVisible()
  await drawer.getByRole('group', { name: 'Column scratch' }).getByLabel('Leave this column out').check()
  await expectAccessibleAtBothWidths(page)
  await drawer.getByRole('button', { name: 'Close' }).click()
  await page.getByRole('button', { name: 'notes', exact: true }).click()
  await drawer.getByLabel('Leave this table out').check()
  await page.keyboard.press('Escape')
  await expect(page.getByText('notes will be left out')).toBeVisible()
  await expect(page.getByText('What you chose is not in the plan yet')).toBeVisible()
  await expect(page.getByRole('button', { name: 'Start', exact: true })).toBeDisabled()
  await page.reload()
  await expect(page.getByText('notes will be left out')).toBeVisible()
  await expectAccessibleAtBothWidths(page)
  await page.getByRole('button', { name: 'Plan by it' }).click()
  await expect(page.getByText('notes is left out')).toBeVisible(patient)
  const tables = page.getByRole('table', { name: 'Planned tables' })
  await expect(tables.getByRole('row', { name: /^people persons/ })).toBeVisible()

  const saved = page.waitForEvent('download')
  await page.getByRole('link', { name: 'Save choices' }).click()
  const file = await (await saved).path()
  expect(JSON.parse(readFileSync(file, 'utf8'))).toEqual({
    version: 1,
    tables: {
      people: {
        target: 'persons',
        columns: { age: { type: 'bigint' }, scratch: { exclude: true } },
      },
      notes: { exclude: true },
    },
  })
  await page.getByRole('button', { name: 'Take notes back in' }).click()
  await page.getByRole('button', { name: 'Plan by it' }).click()
  await expect(tables.getByRole('row', { name: /^notes/ })).toBeVisible(patient)
  await page.getByLabel('Load choices').setInputFiles({
    name: 'choices.json',
    mimeType: 'application/json',
    buffer: readFileSync(file),
  })
  await page.getByRole('button', { name: 'Plan by it' }).click()
  await expect(page.getByText('notes is left out')).toBeVisible(patient)
  await page.getByLabel('Load choices').setInputFiles({
    name: 'other.json',
    mimeType: 'application/json',
    buffer: Buffer.from('{}'),
  })
  await expect(page.getByText('other.json is no file of choices')).toBeVisible()
})

test('rows that cannot be stored are listed, downloaded and accepted by their number', async ({ page }) => {
  await page.goto('/migration')
  await page.getByRole('table', { name: 'Runs, newest first' }).getByRole('button').first().click()
  await page.waitForURL(/\/migration\/[0-9a-f-]{36}/)
  await started(page)
  const rows = page.getByRole('table', { name: 'Rejected rows' })
  await expect(rows.getByRole('row', { name: /^people id = 2 age x/ })).toBeVisible()
  await expectAccessibleAtBothWidths(page)
  const saved = page.waitForEvent('download')
  await page.getByRole('link', { name: 'Download rejected rows' }).click()
  const [line = ''] = readFileSync(await (await saved).path(), 'utf8')
    .trim()
    .split('\n')
  expect(JSON.parse(line)).toMatchObject({ table: 'people', key: 'id = 2', column: 'age', value: 'x' })
  await page.getByRole('button', { name: 'Accept 1 rejected row' }).click()
  const dialog = page.getByRole('dialog')
  await expect(dialog.getByRole('button', { name: 'Accept', exact: true })).toBeDisabled()
  await dialog.getByRole('textbox').fill('1')
  await expectAccessibleAtBothWidths(page)
  await dialog.getByRole('button', { name: 'Accept', exact: true }).click()
  await expect(page.getByText(/^Accepted by /)).toBeVisible()
  await page.reload()
  await expect(page.getByText(/^Accepted by /)).toBeVisible()
})

test('a target that was changed is compared again, with the first row that differs side by side', async ({
  page,
  world,
}) => {
  await planned(page, 'compared')
  await started(page)
  await world.postgres.query(`UPDATE compared.books SET title = 'changed' WHERE id = 7`, [], world.target)
  await page.getByRole('button', { name: 'Compare again' }).click()
  await expect(page.getByText('The sides differ')).toBeVisible(patient)
  const reason = 'Locked: a check of the validation is red'
  await expect(page.getByText(reason)).toBeVisible()
  await expect(page.getByRole('button', { name: 'Cut over' })).toBeDisabled()
  await expect(page.getByRole('button', { name: 'Cut over' })).toHaveAttribute('title', reason)
  const id = new URL(page.url()).pathname.split('/').at(-1)
  expect(await call(page, 'migration.cutOver', { id })).toBe(409)
  const row = page.getByRole('table', { name: 'First row that differs in books' })
  await expect(row.getByRole('row', { name: /^title .* changed Different$/ })).toBeVisible()
  await expectAccessibleAtBothWidths(page)

  await page.goto('/migration/new')
  await page.getByRole('radio', { name: 'library.db' }).check()
  await page.getByRole('textbox', { name: 'Schema' }).fill('compared')
  await page.getByRole('radio', { name: 'Only compare' }).check()
  await expectAccessibleAtBothWidths(page)
  await page.getByRole('button', { name: 'Check and plan' }).click()
  await page.waitForURL(/\/migration\/[0-9a-f-]{36}$/)
  await expect(page.getByRole('button', { name: 'Start', exact: true })).toBeEnabled(patient)
  await page.getByRole('button', { name: 'Start', exact: true }).click()
  await stepUp(page, 'Start the migration')
  await expect(page.getByText('The sides differ')).toBeVisible(patient)
  await expect(row.getByRole('row', { name: /^title .* changed Different$/ })).toBeVisible()
})

test('an application that writes meanwhile is cut over, told where to go on, and can go back', async ({
  page,
  world,
}) => {
  const file = join(world.sources, 'shop.db')
  makeMixed(file)
  const application = new Database(file)
  application.pragma('journal_mode = WAL')
  await page.goto('/migration/new')
  await page.getByRole('radio', { name: 'shop.db' }).check()
  await page.getByRole('textbox', { name: 'Schema' }).fill('shop')
  await page.getByLabel('Note writes while the copy goes on').check()
  await expectAccessibleAtBothWidths(page)
  await page.getByRole('button', { name: 'Check and plan' }).click()
  await page.waitForURL(/\/migration\/[0-9a-f-]{36}$/)
  const start = page.getByRole('button', { name: 'Start', exact: true })
  const acknowledge = page.getByRole('button', { name: /^Acknowledge: / })
  await expect(start.or(acknowledge).first()).toBeVisible(patient)
  await expect(page.getByRole('table', { name: 'Planned tables' })).toBeVisible(patient)
  while ((await acknowledge.count()) > 0) {
    const before = await acknowledge.count()
    await acknowledge.first().click()
    await expect(acknowledge).toHaveCount(before - 1)
  }
  await started(page)
  try {
    application.exec(`INSERT INTO people VALUES (4, 'Dora', 40, NULL)`)
    await expect(page.getByText('Ready to be cut over')).toBeVisible(patient)
    await expectAccessibleAtBothWidths(page)
    await page.getByRole('button', { name: 'Cut over' }).click()
    await page.getByRole('dialog').getByRole('textbox').fill('shop.db')
    await stepUp(page, 'Cut over')
    await expect(page.getByText('What to do now')).toBeVisible(patient)
    await expectAccessibleAtBothWidths(page)
    const { host, port, password } = world.postgres
    await expect(page.getByText(`${host}:${port}/${world.target}?sslmode=`)).toBeVisible()
    expect(await page.content()).not.toContain(password)
    expect(() => application.exec(`INSERT INTO people VALUES (5, 'Eve', 1, NULL)`)).toThrow()
    const arrived = await world.postgres.query('SELECT name FROM shop.people WHERE id = 4', [], world.target)
    expect(arrived).toEqual([{ name: 'Dora' }])
    await page.getByRole('button', { name: 'Reopen the source' }).click()
    await page.getByRole('dialog').getByRole('textbox').fill('shop.db')
    await page.getByRole('dialog').getByRole('button', { name: 'Reopen', exact: true }).click()
    await expect(page.getByRole('button', { name: 'Cut over' })).toBeVisible(patient)
    application.exec(`INSERT INTO people VALUES (5, 'Eve', 1, NULL)`)
  } finally {
    application.close()
  }
})
