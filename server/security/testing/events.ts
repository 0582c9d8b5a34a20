import { asc } from 'drizzle-orm'
import { expect } from 'vitest'
import type { Store } from '@/db/store'
import { testAuditKey } from '@/db/testing/stores'
import { verifyRows } from '@/server/audit'

/** All audit events of a store, in order. Fails when their chain does not verify. */
export async function eventsOf(store: Store) {
  const { auditEvents, auditHead } = store.tables
  const rows = await store.db.select().from(auditEvents).orderBy(asc(auditEvents.seq))
  const [head] = await store.db.select().from(auditHead)
  const key = (id: string) => (id === testAuditKey.id ? testAuditKey.key : undefined)
  expect(verifyRows(rows, { key, head })).toEqual([])
  return rows
}

/** An error of ours with this code. */
export const code = (expected: string) => expect.objectContaining({ name: 'HoldfastError', code: expected })
