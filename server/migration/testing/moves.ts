import { eq, getTableColumns, getTableName } from 'drizzle-orm'
import { expect } from 'vitest'
import { q, unit } from '@/db/unit'
import type { Run } from '../runs/run'
import { admin, type TestConsole } from './console'

// What tests of the own store's moves do to it, and see in it.

type Row = Record<string, unknown>

export const add = unit('test.add', function* (tx, { id }: { id: string }) {
  const row = { id, email: `${id}@example.org`, name: id, role: 'viewer', state: 'active' } as const
  yield* q(tx.db.insert(tx.tables.users).values({ ...row, createdAt: 1, updatedAt: 1 }))
  yield* q(
    tx.db.insert(tx.tables.sessions).values({
      id: `session-${id}`,
      userId: id,
      methods: ['pwd'],
      device: 'é👩‍👧',
      deviceHash: '',
      address: '::1',
      ...{ createdAt: 1, lastUsedAt: 1, idleExpiresAt: 2 ** 45, expiresAt: 2 ** 45 },
    }),
  )
})

const addMany = unit('test.addMany', function* (tx, { ids }: { ids: string[] }) {
  for (const id of ids) yield* add.work(tx, { id })
})

export const remove = unit('test.remove', function* (tx, { id }: { id: string }) {
  yield* q(tx.db.delete(tx.tables.users).where(eq(tx.tables.users.id, id)))
})

/** One row goes with what hangs on it, its e-mail address goes to another one, a new row comes. */
export const change = unit(
  'test.change',
  function* (tx, { gone, renamed }: { gone: string; renamed: string }) {
    const { users } = tx.tables
    yield* remove.work(tx, { id: gone })
    yield* q(
      tx.db
        .update(users)
        .set({ email: `${gone}@example.org` })
        .where(eq(users.id, renamed)),
    )
    yield* add.work(tx, { id: 'new' })
  },
)

/** History of the console: measurements, hours of statements, an index that was made. */
export const measure = unit('test.measure', function* (tx, { at }: { at: number }) {
  const { metricRollups, statementRollups, indexChanges, leases } = tx.tables
  const step = { instance: 'one', step: 60_000, at, samples: 60, firstAt: at, lastAt: at + 59_999 }
  const values = JSON.stringify([[0.125], [1e12 + 0.5], [60]])
  yield* q(tx.db.insert(metricRollups).values({ ...step, id: `one:${at}`, names: 'n', values }))
  const hour = { fingerprint: 'f', at, writer: 'one', calls: 3, total: 2 ** 52, longest: null, rows: 0 }
  yield* q(tx.db.insert(statementRollups).values({ ...hour, id: `f:${at}:one` }))
  yield* q(tx.db.insert(leases).values({ name: `lease-${at}`, owner: 'one', until: at }))
  const time = { calls: 20, meanMs: 12.345678901234567, from: 1, to: at }
  yield* q(
    tx.db.insert(indexChanges).values({
      ...{ id: `change-${at}`, key: 'k', kind: 'create', dialect: 'sqlite', table: 't', index: 'i' },
      ...{ ddl: 'CREATE INDEX i ON t ("é")', undo: 'DROP INDEX i', state: 'applied', actor: 'ada' },
      ...{ requestedAt: at, finishedAt: at, fingerprints: ['f'], before: time, after: null },
      counted: { one: { last: { calls: 1, totalMs: 0.1 }, since: { calls: 0, totalMs: 0 } } },
    }),
  )
})

export async function fill(console: TestConsole, rows: number): Promise<void> {
  await console.store.run(addMany, { ids: Array.from({ length: rows }, (_, i) => `user-${i}`) })
}

/** A run of the own store, copied and validated. */
export async function copied(console: TestConsole): Promise<Run> {
  const { id } = await console.migration.createRun(admin, {
    source: { kind: 'store' },
    target: { kind: 'environment' },
    schema: 'public',
  })
  const planned = await console.until(id, ({ phase }) => phase === null)
  expect(planned.error).toBeNull()
  expect(planned.plan?.tables.find(({ source }) => source === 'connections')?.columns.at(7)?.type).toBe(
    'boolean',
  )
  await console.migration.startRun({ id, caller: admin, grantId: await console.grant(id) })
  const done = await console.until(id, ({ state }) => state === 'completed' || state === 'failed')
  expect(done.error).toBeNull()
  expect(done.validation?.ok).toBe(true)
  expect(done.validation?.checks.filter(({ state }) => state !== 'green')).toEqual([])
  return done
}

export async function switchOver(console: TestConsole, { id }: Run) {
  const grantId = await console.grant(id, 'migration.switchOver')
  return console.migration.switchOver({ id, caller: admin, grantId })
}

/** Between two writes of one writer: 20 writers make 200 writes a second. */
const PACE_MS = 100

/** Writers that add one user after the other until they are stopped. */
export function startWriters(console: TestConsole, count: number) {
  const written: string[] = []
  const failures: unknown[] = []
  let stopping = false
  let wake = () => {}
  const writer = async (n: number) => {
    for (let i = 0; !stopping; i++) {
      const id = `live-${n}-${i}`
      try {
        await console.store.run(add, { id })
        written.push(id)
        wake()
      } catch (error) {
        failures.push(error)
      }
      await new Promise((done) => setTimeout(done, PACE_MS))
    }
  }
  const all = Array.from({ length: count }, (_, n) => writer(n))
  return {
    failures,
    written: () => written.length,
    async until(rows: number) {
      while (written.length < rows) {
        await new Promise<void>((done) => {
          wake = done
        })
      }
    },
    async stop() {
      stopping = true
      await Promise.all(all)
      return written
    },
  }
}

export async function names(console: TestConsole): Promise<string[]> {
  const { users } = console.store.tables
  const rows = await console.store.db.select({ id: users.id }).from(users)
  return rows
    .map(({ id }) => id)
    .filter((id) => !id.startsWith('user-'))
    .sort()
}

/** All rows of all tables as the console reads them, in the order of their keys. */
export async function everyRow({ store }: TestConsole): Promise<Record<string, Row[]>> {
  const all: Record<string, Row[]> = {}
  for (const table of Object.values(store.tables)) {
    const [key = ''] = Object.entries(getTableColumns(table)).find(([, { primary }]) => primary) ?? []
    const rows = (await store.db.select().from(table)) as Row[]
    all[getTableName(table)] = rows.sort((a, b) => (String(a[key]) < String(b[key]) ? -1 : 1))
  }
  return all
}
