import { and, eq, gt, lte, or, type SQL, sql } from 'drizzle-orm'
import type { Store } from '@/db/store'
import { q, type Tx, unit, type Work } from '@/db/unit'

/** How long an answer is kept, and with it what it was the answer to. */
const keptMs = 86_400_000

/**
 * `begun`: claimed before work that the store cannot roll back. `made`: the change has committed, its answer is not
 * known yet. `answered`: over.
 */
export type KeptState = 'begun' | 'made' | 'answered'

/** What is kept of a request. Each time that somebody works on it is an attempt of its own. */
export interface Kept {
  inputHash: string
  createdAt: number
  state: KeptState
  attempt: string
  /** The console that works or worked on it. */
  instance: string
  /** The answer, sealed by the vault: it may hold a secret that is shown once. */
  sealed: string | null
}

interface Row extends Omit<Kept, 'createdAt'> {
  id: string
  now: number
}

/** What is kept of a request that has not run out, read from the primary. */
export async function readKept(store: Store, id: string, now: number): Promise<Kept | null> {
  const { idempotencyKeys: keys } = store.tables
  const [row] = await store.db
    .select()
    .from(keys)
    .where(and(eq(keys.id, id), gt(keys.expiresAt, now)))
  if (!row) return null
  const { inputHash, createdAt } = row
  return { inputHash, createdAt, ...(row.result as Pick<Kept, 'state' | 'attempt' | 'instance' | 'sealed'>) }
}

/** Enters a request or goes on with this attempt's own row. False: another attempt has it. */
export function* keepInside(tx: Tx, row: Row): Work<boolean> {
  return yield* put(tx, row, ofAttempt(row.attempt))
}

/** The same by itself: for an answer that is known after the change. */
export const keepAnswer = unit('idempotency.keep', (tx, row: Row) => keepInside(tx, row))

/** Takes a request for this attempt before anything is done; `over`: an attempt whose console is gone. */
export const claim = unit(
  'idempotency.claim',
  (tx, { over, ...row }: Omit<Row, 'state' | 'sealed'> & { over: string | null }) =>
    put(tx, { ...row, state: 'begun', sealed: null }, over === null ? undefined : ofAttempt(over)),
)

/** Gives a claim back whose work failed, so that it may be tried again. */
export const letGo = unit(
  'idempotency.let-go',
  function* (tx, { id, attempt }: { id: string; attempt: string }) {
    const { idempotencyKeys: keys } = tx.tables
    yield* q(tx.db.delete(keys).where(and(eq(keys.id, id), ofAttempt(attempt))))
  },
)

/** Inserts the row, or puts it in the place of one that has run out or that `over` finds. False: neither. */
function* put(tx: Tx, { id, inputHash, now, ...rest }: Row, over: SQL | undefined): Work<boolean> {
  const { idempotencyKeys: keys } = tx.tables
  const { state, attempt, instance, sealed } = rest
  const fresh = {
    ...{ inputHash, createdAt: now, expiresAt: now + keptMs },
    result: { state, attempt, instance, sealed },
  }
  const rows = yield* q(
    tx.db
      .insert(keys)
      .values({ id, ...fresh })
      .onConflictDoUpdate({ target: keys.id, set: fresh, setWhere: or(lte(keys.expiresAt, now), over) })
      .returning({ id: keys.id }),
  )
  return rows.length > 0
}

/** Both dialects read a field of JSON by the same operator (SQLite from 3.38). */
const ofAttempt = (attempt: string) => sql`idempotency_keys.result ->> 'attempt' = ${attempt}`
