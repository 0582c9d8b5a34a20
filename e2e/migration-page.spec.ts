import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Page } from '@playwright/test'
import { makeLibrary } from '@/db/testing/library'
import { type PostgresServer, startPostgres } from '@/db/testing/servers'
import { expectAccessibleAtBothWidths } from './accessible'
import { asFirstAdmin, base, expect, keepSignedIn, stepUp } from './fixtures'
import { type RunningConsole, startConsole } from './server'

interface World {
  postgres: PostgresServer
  console: RunningConsole
  sources: string
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
      await use({ postgres, sources, console })
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
