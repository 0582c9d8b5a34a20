import { sql } from 'drizzle-orm'
import type { Store } from '../store'
import { q, unit } from '../unit'

const names = {
  postgresql: ['rows', 'all'].map(
    (name) => `drop trigger holdfast_guard_audit_${name} on public.audit_events`,
  ),
  sqlite: ['update', 'delete'].map((name) => `drop trigger holdfast_guard_audit_${name}`),
}

const take = unit('test.unguard', function* (tx, statements: string[]) {
  for (const statement of statements) {
    const { db } = tx as unknown as { db: { run?: typeof tx.db.execute } & typeof tx.db }
    yield* q((db.run ?? db.execute).call(db, sql.raw(statement)))
  }
})

/** Takes away what refuses changes to the audit log, as a superuser and whoever may write to the file can. */
export const unguardAudit = (store: Store): Promise<void> => store.run(take, names[store.dialect])
