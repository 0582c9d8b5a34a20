import { eq } from 'drizzle-orm'
import { locked, q, type Tx, unit, type Work } from '@/db/unit'
import { appendAudit, system } from './append'
import { countsOf, type Found } from './judge'

/** What was told of before, the newest last. */
const key = 'audit-tampering'
const MOST_KNOWN = 500
/** Of one report. */
const MOST_TOLD = 20

/**
 * Writes one event that the log was tampered with, unless all of it was told before, by whichever instance.
 * Answers its seq.
 */
export const tellTampering = unit(
  'audit.tell-tampering',
  function* (tx, input: { found: Found[]; now: number }) {
    const found = input.found.slice(0, MOST_TOLD)
    const known = yield* lockKnown(tx)
    const fresh = found.map(nameOf).filter((each) => !known.includes(each))
    if (fresh.length === 0) return null
    const { meta } = tx.tables
    const value = JSON.stringify([...known, ...fresh].slice(-MOST_KNOWN))
    yield* q(tx.db.update(meta).set({ value }).where(eq(meta.key, key)))
    return yield* appendAudit(tx, {
      ...system,
      time: input.now,
      event: 'malicious_audit_tampering',
      outcome: 'failure',
      severity: 'critical',
      target: 'audit log',
      reason: found.map(sentenceOf).join('; '),
      after: { found: found.map(({ kind, seq, to }) => ({ kind, seq, to })), counts: countsOf(input.found) },
    })
  },
)

/** The end of a log that went on since begins elsewhere, and is the same finding. */
const nameOf = ({ kind, seq, to }: Found) => `${kind}:${kind === 'rolled back' ? to : seq}`

function* lockKnown(tx: Tx): Work<string[]> {
  const { meta } = tx.tables
  yield* q(tx.db.insert(meta).values({ key, value: '[]' }).onConflictDoNothing())
  const [row] = yield* q(locked(tx.db.select().from(meta).where(eq(meta.key, key))))
  return JSON.parse(row?.value ?? '[]') as string[]
}

/** `#7 modified`, `#7–9 missing (…)`. */
export function sentenceOf({ kind, seq, to, note }: Found): string {
  const where = seq === to ? `#${seq}` : `#${seq}–${to}`
  return `${where} ${kind}${note ? ` (${note})` : ''}`
}
