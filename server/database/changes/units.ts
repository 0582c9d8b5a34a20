import { and, desc, eq, gte, isNotNull, lt, ne, or, sql } from 'drizzle-orm'
import type { Store } from '@/db/store'
import type { IndexChangeState, Tables } from '@/db/tables'
import { locked, q, type Tx, unit, type Work } from '@/db/unit'
import { type AuditEventName, appendAudit, type Caller, system } from '@/server/audit'
import { HoldfastError } from '@/server/errors'
import { useGrant } from '@/server/grants'
import { MEASURED_MS, measured, type Reading } from './counting'
import type { Plan } from './plan'
import type { MeasuredTime } from './types'

export type Row = Tables['indexChanges']['$inferSelect']

/** Who works on a change, and until when without a sign of life. */
export interface Lease {
  leaseOwner: string
  leaseUntil: number
}

interface Asked {
  by: Caller
  grantId: string | null
  now: number
  lease: Lease
}

/**
 * Notes a change as running, with its audit event, and uses the grant up: all or nothing. Throws CONFLICT while
 * another change runs.
 */
export const beginChange = unit(
  'index.begin',
  function* (
    tx,
    asked: Asked & {
      id: string
      plan: Plan
      dialect: Row['dialect']
      before: MeasuredTime | null
      advisedAt: number
    },
  ) {
    const { id, plan, dialect, before, advisedAt, by, grantId, now, lease } = asked
    const { indexChanges } = tx.tables
    const { key, ...planned } = plan
    const made = yield* q(
      tx.db
        .insert(indexChanges)
        .values({
          ...{ id, key, ...planned, dialect, before, ...lease },
          ...{ state: 'running', busy: 1, actor: by.actor, requestedAt: now },
        })
        .onConflictDoNothing()
        .returning({ id: indexChanges.id }),
    )
    if (made.length === 0) throw busy()
    // What ended since the advice was given may be the same: two clicks, or two people.
    const since = or(gte(indexChanges.finishedAt, advisedAt), gte(indexChanges.undoneAt, advisedAt))
    const [done] = yield* q(
      tx.db
        .select({ id: indexChanges.id })
        .from(indexChanges)
        .where(and(eq(indexChanges.key, key), ne(indexChanges.state, 'failed'), since)),
    )
    if (done) throw outdated()
    yield* useGrant(tx, { grantId, by, action: 'database.applyIndex', input: { key }, now })
    yield* note(tx, by, now, 'sys_database_index_requested', { id, ...plan })
  },
)

/** applied → undoing. Throws NOT_FOUND, or CONFLICT while another change runs or where there is nothing to undo. */
export const beginUndo = unit(
  'index.beginUndo',
  function* (tx, asked: Asked & { id: string; dialect: Row['dialect'] }) {
    const { id, dialect, by, grantId, now, lease } = asked
    const { indexChanges } = tx.tables
    const [row] = yield* q(locked(tx.db.select().from(indexChanges).where(eq(indexChanges.id, id))))
    if (!row) {
      throw new HoldfastError('NOT_FOUND', {
        message: 'There is no such change.',
        remedy: 'Load the list anew.',
      })
    }
    if (row.dialect !== dialect) throw elsewhere()
    if (row.state !== 'applied') throw notApplied(row.state)
    const [other] = yield* q(
      tx.db.select({ id: indexChanges.id }).from(indexChanges).where(isNotNull(indexChanges.busy)),
    )
    if (other) throw busy()
    yield* q(
      tx.db
        .update(indexChanges)
        .set({ state: 'undoing', busy: 1, error: null, ...lease })
        .where(and(eq(indexChanges.id, id), eq(indexChanges.state, 'applied'))),
    )
    yield* useGrant(tx, { grantId, by, action: 'database.undoIndex', input: { id }, now })
    yield* note(tx, by, now, 'sys_database_index_undo_requested', row)
  },
)

export interface Ending {
  id: string
  /** What the change was doing: an end is noted once, by whoever comes first. */
  was: 'running' | 'undoing'
  /** One sentence; null when it went well. */
  error: string | null
  now: number
}

/** Notes how a change ended. Answers whether it was this call that did. */
export const endChange = unit('index.end', (tx, ending: Ending) => end(tx, ending))

/**
 * Makes or drops an index of a SQLite file and notes it in one transaction: it is there and noted, or neither.
 * Units run in a thread of their own, so that nothing else of the console waits but later writes.
 */
export const changeFile = unit(
  'index.changeFile',
  function* (tx, { statement, ...ending }: Ending & { statement: string }) {
    const file = tx.db as unknown as { run(query: unknown): PromiseLike<unknown> }
    yield* q(file.run(sql.raw(statement)))
    return yield* end(tx, ending)
  },
)

function* end(tx: Tx, { id, was, error, now }: Ending): Work<boolean> {
  const { indexChanges } = tx.tables
  const good = was === 'running' ? { state: 'applied', finishedAt: now } : { state: 'undone', undoneAt: now }
  const bad = was === 'running' ? { state: 'failed', finishedAt: now } : { state: 'applied' }
  const values = (error === null ? good : bad) as { state: IndexChangeState }
  const [row] = yield* q(
    tx.db
      .update(indexChanges)
      .set({ ...values, error, busy: null, leaseOwner: null, leaseUntil: null })
      .where(and(eq(indexChanges.id, id), eq(indexChanges.state, was)))
      .returning(),
  )
  if (!row) return false
  const word = was === 'running' ? `index_${row.kind === 'create' ? 'created' : 'dropped'}` : 'index_undone'
  yield* appendAudit(tx, {
    ...{ ...system, time: now, event: `sys_database_${word}`, target: `index-change:${id}` },
    ...{ outcome: error === null ? 'success' : 'failure', reason: error },
    after: { index: row.index, table: row.table },
  })
  return true
}

/** Shows that somebody still works on it. Answers false when the change is over or somebody else took it. */
export const renewLease = unit(
  'index.renewLease',
  function* (tx, { id, lease }: { id: string; lease: Lease }) {
    const { indexChanges } = tx.tables
    const rows = yield* q(
      tx.db
        .update(indexChanges)
        .set(lease)
        .where(and(eq(indexChanges.id, id), eq(indexChanges.leaseOwner, lease.leaseOwner)))
        .returning({ id: indexChanges.id }),
    )
    return rows.length > 0
  },
)

/** Takes over a change that nobody works on any more; `alone` where no other process can. */
export const takeOver = unit(
  'index.takeOver',
  function* (tx, { now, alone, lease }: { now: number; alone: boolean; lease: Lease }) {
    const { indexChanges } = tx.tables
    const left = or(lt(indexChanges.leaseUntil, now), alone ? isNotNull(indexChanges.busy) : undefined)
    const [row] = yield* q(
      tx.db
        .update(indexChanges)
        .set(lease)
        .where(and(isNotNull(indexChanges.busy), left))
        .returning(),
    )
    return row ?? null
  },
)

/** Adds what the counters tell, unless the change was taken back meanwhile. */
export const noteMeasured = unit(
  'index.noteMeasured',
  function* (tx, { id, merge }: { id: string; merge: { writer: string; reading: Reading; now: number } }) {
    const { indexChanges } = tx.tables
    const [row] = yield* q(locked(tx.db.select().from(indexChanges).where(eq(indexChanges.id, id))))
    if (row?.state !== 'applied' || row.finishedAt === null) return
    const { counted, after } = measured(row, merge)
    yield* q(tx.db.update(indexChanges).set({ counted, after }).where(eq(indexChanges.id, id)))
  },
)

export async function readChange(store: Store, id: string): Promise<Row | undefined> {
  const { indexChanges } = store.tables
  const [row] = await store.db.select().from(indexChanges).where(eq(indexChanges.id, id))
  return row
}

/** The newest first. */
export function readChanges(store: Store): Promise<Row[]> {
  const { indexChanges } = store.tables
  return store.db.select().from(indexChanges).orderBy(desc(indexChanges.requestedAt)).limit(LISTED)
}

const LISTED = 200

/** Indexes whose effect is still counted, on this dialect. */
export async function readUnmeasured(
  store: Store,
  { dialect, now }: { dialect: Row['dialect']; now: number },
): Promise<Row[]> {
  const { indexChanges } = store.tables
  const rows = await store.db
    .select()
    .from(indexChanges)
    .where(and(eq(indexChanges.state, 'applied'), eq(indexChanges.dialect, dialect)))
  return rows.filter(
    ({ fingerprints, after, finishedAt }) =>
      fingerprints.length > 0 && (after === null || (finishedAt ?? 0) > now - MEASURED_MS),
  )
}

const note = (
  tx: Tx,
  by: Caller,
  now: number,
  event: AuditEventName,
  { id, kind, table, index, ddl, undo }: Pick<Row, 'id' | 'kind' | 'table' | 'index' | 'ddl' | 'undo'>,
): Work<number> =>
  appendAudit(tx, {
    ...{ ...by, time: now, event, target: `index-change:${id}`, outcome: 'success' },
    after: { kind, table, index, ddl, undo },
  })

const busy = () =>
  new HoldfastError('CONFLICT', {
    message: 'Another index is being made or dropped.',
    remedy: 'Wait until that change is done; the list shows it.',
  })

const outdated = () =>
  new HoldfastError('CONFLICT', {
    message: 'This change was made meanwhile.',
    remedy: 'Load the lists anew.',
  })

const elsewhere = () =>
  new HoldfastError('CONFLICT', {
    message: 'This index was made in the database that the store has left.',
    remedy: 'There is nothing to undo here.',
  })

function notApplied(state: IndexChangeState): HoldfastError {
  const words = {
    running: 'still being made',
    failed: 'not there: the change failed',
    undoing: 'being taken back already',
    undone: 'taken back already',
    applied: 'there',
  }
  return new HoldfastError('CONFLICT', {
    message: `This change is ${words[state]}.`,
    remedy: 'Load the list anew: it may have changed meanwhile.',
  })
}
