import { chmodSync, existsSync, statSync } from 'node:fs'
import { join } from 'node:path'
import BetterSqlite3 from 'better-sqlite3'
import { asc, eq, getTableColumns, getTableName, inArray } from 'drizzle-orm'
import { getTableConfig } from 'drizzle-orm/pg-core'
import { describe, expect, it } from 'vitest'
import { retiredPostgresReason, retiredReason } from '@/db/retired'
import { tables as pgTables } from '@/db/schema/pg'
import type { Tables } from '@/db/tables'
import { needsPostgres } from '@/db/testing/shared'
import { testAuditKey } from '@/db/testing/stores'
import { undoAfterEach } from '@/db/testing/undo'
import { q, type Tx, unit, type Work } from '@/db/unit'
import { openRetention, recordAudit, verifyRows } from '@/server/audit'
import { readEdge } from '@/server/audit/edge'
import { inputHash, makeGrant } from '@/server/grants'
import { openLog } from '@/server/log'
import { openVault } from '@/server/vault'
import type { Run } from '../runs/run'
import { admin, openSide, openTestConsole, type TestConsole } from '../testing/console'
import {
  add,
  change,
  copied,
  everyRow,
  fill,
  names,
  remove,
  startWriters,
  switchOver,
} from '../testing/moves'
import type { PostgresSide } from './own-store'
import { askOf, isPgCapturing, startPgCapture } from './pg-capture'
import { readLeftChoice, readStoreChoice, takeBackStoreChoice, writeStoreChoice } from './store-choice'

needsPostgres()

const later = undoAfterEach()

const vault = openVault(Buffer.alloc(32, 5))

// Each test runs worker processes, several at once on a small machine.
describe('switch-back of the own store', { timeout: 120_000 }, () => {
  it('moves the running console back while 20 writers go on: none fails, none is lost', async () => {
    const { console, run } = await moved(500)
    const writers = startWriters(console, 20)
    await writers.until(100)
    const report = await switchBack(console, run)
    await writers.until(writers.written() + 100)
    const written = await writers.stop()

    expect(console.store.dialect).toBe('sqlite')
    expect(console.database().dialect).toBe('sqlite')
    expect(await names(console)).toEqual([...written, 'admin'].sort())
    expect(writers.failures).toEqual([])
    expect(report.pauseMilliseconds).toBeLessThan(5_000)
    expect(report.rowsBroughtOver).toBeGreaterThan(200)
    const back = await console.migration.getRun(run.id)
    expect(back).toMatchObject({ state: 'switched_back', phase: null })
    expect(back.report?.switchBack).toEqual(report)
  })

  it('brings every table back as it was, with rows that came, changed and went', async () => {
    const console = await openTestConsole(later, 'sqlite')
    await fill(console, 50)
    await console.store.run(putEverywhere, { ids: ['kept', 'goner'], value: 1 })
    const run = await copied(console)
    await switchOver(console, run)
    await console.store.run(putEverywhere, { ids: ['arrived'], value: 3 })
    await console.store.run(changeEverywhere, { id: 'kept', value: 2 })
    await console.store.run(removeEverywhere, { id: 'goner' })
    await console.store.run(change, { gone: 'user-7', renamed: 'user-9' })
    const grantId = await console.grant(run.id, 'migration.switchBack')
    const before = await everyRow(console)
    await console.migration.switchBack({ id: run.id, caller: admin, grantId })
    const after = await everyRow(console)
    // The switch-back itself writes to these, and uses its grant up.
    const ours = ['migration_runs', 'migration_log', 'audit_events', 'audit_head']
    const grant = after.step_up_grants?.find(({ id }) => id === grantId)
    expect(grant?.usedAt).toEqual(expect.any(Number))
    if (grant) grant.usedAt = null
    for (const table of Object.keys(before).filter((name) => !ours.includes(name))) {
      expect(after[table], table).toEqual(before[table])
    }
    expect(after.users?.map(({ id }) => id)).toEqual(expect.arrayContaining(['kept', 'arrived']))
    expect(after.migration_runs?.map(({ id }) => id)).toEqual(expect.arrayContaining(['kept', 'arrived']))
    expect(after.sessions?.find(({ id }) => id === admin.sessionId)).toBeDefined()
    const events = await console.store.db.select().from(console.store.tables.auditEvents)
    expect(events.map(({ event }) => event)).toEqual(
      expect.arrayContaining(['sys_migration_switched_over', 'sys_migration_switched_back']),
    )
    const inOrder = events.sort((a, b) => a.seq - b.seq)
    expect(verifyRows(inOrder, { key: () => testAuditKey.key })).toEqual([])
  })

  it('carries the audit log there and back as one chain, guarded on both sides, also when its oldest events were dropped in between', async () => {
    const console = await openTestConsole(later, 'sqlite')
    const old = {
      ...admin,
      time: Date.now() - 30 * 86_400_000,
      event: 'sys_test',
      outcome: 'success',
    } as const
    for (let at = 0; at < 40; at++) await console.store.run(recordAudit, { ...old, target: `number:${at}` })
    const run = await copied(console)
    await dropTo(console, 10)
    await switchOver(console, run)
    await expect(console.store.run(tamper, 20)).rejects.toThrow()
    await dropTo(console, 20)
    const onPostgres = await logOf(console)
    expect(onPostgres.rows[0]?.seq).toBe(21)
    expect(verifyRows(onPostgres.rows, onPostgres.facts)).toEqual([])
    await switchBack(console, run)
    const onSqlite = await logOf(console)
    expect(onSqlite.rows.slice(0, onPostgres.rows.length)).toEqual(onPostgres.rows)
    expect(onSqlite.rows.length).toBeGreaterThan(onPostgres.rows.length)
    expect(verifyRows(onSqlite.rows, onSqlite.facts)).toEqual([])
    await expect(console.store.run(tamper, 30)).rejects.toThrow()
  })

  it('leaves the file in use, no kept choice, and a store on PostgreSQL that takes no writes and says why', async () => {
    const { console, run } = await moved(10)
    const side = openSide(console.target, later)
    const ask = askOf(side.client)
    expect(await retiredPostgresReason(ask, 'there')).toBeNull()
    await switchBack(console, run)
    const file = console.storeFile as string
    expect(retiredReason(file)).toBeNull()
    expect(statSync(file).mode & 0o200).toBe(0o200)
    expect(readStoreChoice(console.dataDir, vault)).toBeNull()
    expect(readLeftChoice(console.dataDir, vault)).toBeNull()
    expect(await retiredPostgresReason(ask, 'there')).toMatch(
      /^The store on PostgreSQL at there was left on .* when the console moved back to SQLite at .*holdfast.db/,
    )
    await expect(side.handle.run(add, { id: 'late' })).rejects.toMatchObject({
      cause: { message: expect.stringMatching(/^This store was left on/) },
    })
    await console.restart()
    await console.store.run(add, { id: 'later' })
    expect(await names(console)).toContain('later')
  })

  it('can move to PostgreSQL once more when the database was emptied', async () => {
    const { console, run } = await moved(10)
    await switchBack(console, run)
    const side = openSide(console.target, later)
    await side.handle.db.execute(
      'DROP SCHEMA public CASCADE; CREATE SCHEMA public; DROP SCHEMA drizzle CASCADE',
    )
    const again = await copied(console)
    await switchOver(console, again)
    await console.store.run(add, { id: 'later' })
    await switchBack(console, again)
    expect(await names(console)).toContain('later')
    expect(console.store.dialect).toBe('sqlite')
  })

  it('brings back the rows of a table that came with an upgrade after the switchover', async () => {
    const { console, run } = await moved(10)
    const side = openSide(console.target, later)
    // As an upgrade leaves it: the table is there, and nothing notes what is written to it.
    await side.handle.db.execute('DROP TRIGGER store_changes ON leases')
    await side.handle.db.execute(`INSERT INTO leases VALUES ('new', 'nobody', 1)`)
    await console.restart()
    await expect
      .poll(
        async () => (await side.handle.db.execute(`SELECT FROM store_changes WHERE key = 'new'`)).rowCount,
      )
      .toBe(1)
    await switchBack(console, run)
    const { leases } = console.store.tables
    expect(await console.store.db.select().from(leases).where(eq(leases.name, 'new'))).toHaveLength(1)
  })

  it('is refused while another console serves the store, and names it', async () => {
    const { console, run } = await moved(10)
    console.others.push('other.example.org:17')
    await expect(switchBack(console, run)).rejects.toMatchObject({
      code: 'CONFLICT',
      message: 'Another console serves this store: other.example.org:17.',
    })
    expect(await console.migration.getRun(run.id)).toMatchObject({ state: 'switched_over', phase: null })
    expect(console.store.dialect).toBe('postgresql')
    console.others.pop()
    await switchBack(console, run)
    expect(console.store.dialect).toBe('sqlite')
  })

  it('is refused without a grant, a second time, and after the kept window, which ends the noting', async () => {
    const { console, run } = await moved(10)
    const ask = (grantId: string | null) =>
      console.migration.switchBack({ id: run.id, caller: admin, grantId })
    await expect(ask(null)).rejects.toMatchObject({ code: 'STEP_UP_REQUIRED' })
    const side = openSide(console.target, later)
    expect(await isPgCapturing(askOf(side.client))).toBe(true)
    console.aheadMs = 3_601_000
    await expect(switchBack(console, run)).rejects.toMatchObject({ code: 'CONFLICT' })
    await console.restart()
    await console.until(run.id, () => true)
    await expect.poll(() => isPgCapturing(askOf(side.client))).toBe(false)
    await console.store.run(add, { id: 'later' })
    console.aheadMs = 0
    await expect(switchBack(console, run)).rejects.toMatchObject({ code: 'CONFLICT' })
  })

  it('ends the noting when its run is deleted', async () => {
    const { console, run } = await moved(10)
    const side = openSide(console.target, later)
    await console.migration.deleteRun({ id: run.id, caller: admin })
    expect(await isPgCapturing(askOf(side.client))).toBe(false)
    await console.store.run(add, { id: 'later' })
  })

  it('changes nothing when the file differs at the last check, marks it again, and can be tried again', async () => {
    const { console, run } = await moved(10)
    const file = console.storeFile as string
    const tamper = (statement: string) => {
      chmodSync(file, 0o600)
      const client = new BetterSqlite3(file)
      client.exec(statement)
      client.close()
      chmodSync(file, 0o444)
    }
    tamper(`INSERT INTO leases VALUES ('strange', 'nobody', 1)`)
    await expect(switchBack(console, run)).rejects.toMatchObject({ code: 'CHECK_FAILED' })
    expect(console.store.dialect).toBe('postgresql')
    expect(retiredReason(file)).not.toBeNull()
    expect(statSync(file).mode & 0o777).toBe(0o444)
    await console.store.run(add, { id: 'later' })
    tamper(`DELETE FROM leases WHERE name = 'strange'`)
    await switchBack(console, run)
    expect(await names(console)).toContain('later')
  })
})

describe('a crash in the middle of a switch-back', { timeout: 120_000 }, () => {
  it('before the choice is taken back: the next start stays on PostgreSQL, and the way back stays open', async () => {
    const { console, run } = await moved(10)
    await console.store.run(add, { id: 'later' })
    // As the crash leaves it: the run says that it moves, and the file has rows and no mark already.
    await console.store.run(setPhase, { id: run.id, phase: 'switch_back' })
    const file = console.storeFile as string
    chmodSync(file, 0o600)
    const client = new BetterSqlite3(file)
    client.pragma('journal_mode = WAL')
    client.exec(`DELETE FROM meta WHERE key = 'retired'; DELETE FROM sessions WHERE id = 'session-user-1'`)
    client.close()
    await console.restart()
    expect(await console.migration.getRun(run.id)).toMatchObject({ state: 'switched_over', phase: null })
    expect(retiredReason(file)).not.toBeNull()
    expect(statSync(file).mode & 0o777).toBe(0o444)
    await console.store.run(remove, { id: 'user-1' })
    await switchBack(console, run)
    expect(await names(console)).toContain('later')
  })

  it('after it: the next start is on SQLite, finishes the run and tells the store that was left', async () => {
    const { console, run } = await moved(10)
    const choice = readStoreChoice(console.dataDir, vault)
    if (!choice) throw new Error('The choice should be kept.')
    await switchBack(console, run)
    // As the crash leaves it: PostgreSQL does not know, and the run says that it moves.
    writeStoreChoice(console.dataDir, vault, choice)
    takeBackStoreChoice(console.dataDir)
    await console.store.run(setPhase, { id: run.id, phase: 'switch_back' })
    const side = openSide(console.target, later)
    const ask = askOf(side.client)
    await reopen(side)
    await console.restart()
    expect((await console.migration.getRun(run.id)).state).toBe('switched_back')
    await expect.poll(() => retiredPostgresReason(ask, 'there')).not.toBeNull()
    await expect.poll(() => existsSync(join(console.dataDir, 'store-left.json'))).toBe(false)
    await expect(side.handle.run(add, { id: 'late' })).rejects.toThrow()
  })
})

/** A console that has moved to PostgreSQL, by a run. */
async function moved(rows: number): Promise<{ console: TestConsole; run: Run }> {
  const console = await openTestConsole(later, 'sqlite')
  await fill(console, rows)
  const run = await copied(console)
  await switchOver(console, run)
  return { console, run }
}

async function switchBack(console: TestConsole, { id }: Run) {
  const grantId = await console.grant(id, 'migration.switchBack')
  return console.migration.switchBack({ id, caller: admin, grantId })
}

const setPhase = unit('test.setPhase', function* (tx, { id, phase }: { id: string; phase: string }) {
  const { migrationRuns: runs } = tx.tables
  yield* q(tx.db.update(runs).set({ state: 'switched_over', phase }).where(eq(runs.id, id)))
})

/** A left store as it is when its COMMIT did not arrive: noting, and not marked. */
async function reopen({ client }: PostgresSide): Promise<void> {
  const ask = askOf(client)
  const { rows } = await ask(`SELECT proname AS name FROM pg_proc WHERE proname LIKE 'store_changes%'`)
  for (const { name } of rows as { name: string }[]) await ask(`DROP FUNCTION ${name}() CASCADE`)
  await ask(`DELETE FROM meta WHERE key = 'retired'`)
  await startPgCapture(client)
}

// The audit log is a chain: events alone are added to it.
const tableNames = (Object.keys(pgTables) as (keyof Tables)[]).filter((name) => !name.startsWith('audit'))

/** A row in every table, each with the key `id` and made of `value`; rows that point to another one point to this one. */
const tamper = unit('test.tamper', function* (tx, seq: number) {
  const { auditEvents } = tx.tables
  yield* q(tx.db.update(auditEvents).set({ actor: 'nobody' }).where(eq(auditEvents.seq, seq)))
})

/** All events of the log in their order, and where they begin and end. */
async function logOf({ store }: TestConsole) {
  const { auditEvents, auditHead } = store.tables
  const rows = await store.db.select().from(auditEvents).orderBy(asc(auditEvents.seq))
  const [head] = await store.db.select().from(auditHead)
  const edge = await readEdge(store)
  const facts = { key: () => testAuditKey.key, ...(edge && { after: edge }), ...(head && { head }) }
  return { rows, facts }
}

/** Drops the events up to this one, as retention does when a checkpoint signs it. */
async function dropTo(console: TestConsole, seq: number): Promise<void> {
  const { store } = console
  const { auditEvents } = store.tables
  const [row] = await store.db.select().from(auditEvents).where(eq(auditEvents.seq, seq))
  const checkpoint = async () => ({ epoch: 1, seq, hash: row?.hash ?? '' })
  const clock = { now: () => Date.now() }
  const retention = openRetention({ store, clock, log: openLog('error'), checkpoint })
  const { grantId } = await store.run(makeGrant, {
    ...{ sessionId: admin.sessionId ?? '', action: 'security.audit.prune', method: 'otp' },
    ...{ inputHash: inputHash({ days: 7 }), by: admin, now: Date.now() },
  })
  await retention.prune({ days: 7 }, { by: admin, grantId })
}

const putEverywhere = unit(
  'test.putEverywhere',
  function* (tx, { ids, value }: { ids: string[]; value: number }) {
    for (const id of ids) {
      for (const name of parentsFirst)
        yield* q(tx.db.insert(tx.tables[name]).values(rowOf(name, id, value) as never))
    }
  },
)

const changeEverywhere = unit(
  'test.changeEverywhere',
  function* (tx, { id, value }: { id: string; value: number }) {
    for (const name of parentsFirst) {
      const { [keyOf(name)]: _, ...values } = rowOf(name, id, value)
      yield* q(
        tx.db
          .update(tx.tables[name])
          .set(values as never)
          .where(isKey(tx, name, id)),
      )
    }
  },
)

const removeEverywhere = unit('test.removeEverywhere', function* (tx, { id }: { id: string }): Work<void> {
  for (const name of [...parentsFirst].reverse()) {
    yield* q(tx.db.delete(tx.tables[name]).where(isKey(tx, name, id)))
  }
})

const parentsFirst = [...tableNames].sort((a, b) => depthOf(a) - depthOf(b))

function parentsOf(name: keyof Tables): Map<string, keyof Tables> {
  return new Map(
    getTableConfig(pgTables[name]).foreignKeys.map(({ reference }) => {
      const { columns, foreignTable } = reference()
      const parent = tableNames.find((one) => pgTables[one] === (foreignTable as unknown)) as keyof Tables
      return [columns[0]?.name ?? '', parent]
    }),
  )
}

function depthOf(name: keyof Tables): number {
  return Math.max(
    0,
    ...[...parentsOf(name).values()].filter((one) => one !== name).map((one) => 1 + depthOf(one)),
  )
}

const keyOf = (name: keyof Tables) =>
  Object.entries(getTableColumns(pgTables[name])).find(([, { primary }]) => primary)?.[0] ?? ''

function isKey(tx: Tx, name: keyof Tables, id: string) {
  const column = getTableColumns(tx.tables[name])[keyOf(name) as never] as never
  return inArray(column, [keyFor(name, id)] as never)
}

/** Keys that are numbers are made of the id's length. */
function keyFor(name: keyof Tables, id: string): string | number {
  const column = getTableColumns(pgTables[name])[keyOf(name) as never] as { dataType: string }
  return column.dataType === 'number' ? 1_000_000 + id.length : id
}

function rowOf(name: keyof Tables, id: string, value: number): Record<string, unknown> {
  const parents = parentsOf(name)
  return Object.fromEntries(
    Object.entries(getTableColumns(pgTables[name])).map(([property, column]) => {
      if (property === keyOf(name)) return [property, keyFor(name, id)]
      if (parents.has(column.name)) return [property, id]
      if (column.dataType === 'number') return [property, value + 10 * id.length]
      if (column.dataType === 'boolean') return [property, value % 2 === 0]
      if (column.dataType === 'json') return [property, { z: [value, null, 0.1], a: { é: `${id}` } }]
      return [property, `${getTableName(pgTables[name])} ${property} of ${id}, ${value} “é👩‍👧”`]
    }),
  )
}
