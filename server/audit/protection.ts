import { sql } from 'drizzle-orm'
import type { Store } from '@/db/store'

/**
 * Whether the role that the console runs as can only add to the log: it owns nothing of it and holds neither UPDATE,
 * DELETE nor TRUNCATE. SQLite knows no roles.
 */
export async function isAppendOnly(store: Store): Promise<boolean> {
  if (store.dialect === 'sqlite') return false
  const answer = await store.db.execute(sql`
    select not (
      pg_has_role(current_user, c.relowner, 'MEMBER')
      or has_table_privilege(c.oid, 'UPDATE')
      or has_table_privilege(c.oid, 'DELETE')
      or has_table_privilege(c.oid, 'TRUNCATE')
    ) as "appendOnly"
    from pg_class c
    where c.oid = 'audit_events'::regclass
  `)
  return (answer.rows[0] as { appendOnly?: boolean } | undefined)?.appendOnly === true
}
