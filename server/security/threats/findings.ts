import { and, desc, eq, inArray, lt, ne, or } from 'drizzle-orm'
import type { Store } from '@/db/store'
import type { FindingState, Severity } from '@/db/tables'
import { q, unit, type Work } from '@/db/unit'
import { appendAudit, type Caller } from '@/server/audit'
import { HoldfastError } from '@/server/errors'
import { ruleOf } from './rules'

type Row = Store['tables']['findings']['$inferSelect']

/** A finding as the page shows it. */
export interface FindingEntry {
  id: string
  rule: string
  title: string
  subject: string
  severity: Severity
  state: FindingState
  dryRun: boolean
  summary: string
  count: number
  firstAt: number
  lastAt: number
  responses: Row['responses']
  acknowledgedBy: string | null
  closedBy: string | null
}

export interface FindingFilter {
  state?: FindingState | undefined
  severity?: Severity | undefined
  rule?: string | undefined
}

export interface FindingPage {
  findings: FindingEntry[]
  /** Give it as `before` for the next, older page; null at the end. */
  next: string | null
}

/** Findings, the latest opened first, by keyset: what is opened meanwhile moves nothing. */
export async function listFindings(
  { store }: { store: Store },
  { before, limit, ...filter }: FindingFilter & { before?: string | undefined; limit: number },
): Promise<FindingPage> {
  const { findings: at } = store.tables
  const [time, id] = before?.split('.') ?? []
  const after =
    time === undefined || id === undefined
      ? undefined
      : or(lt(at.createdAt, Number(time)), and(eq(at.createdAt, Number(time)), lt(at.id, id)))
  const rows = await store.db
    .select()
    .from(at)
    .where(
      and(
        filter.state && eq(at.state, filter.state),
        filter.severity && eq(at.severity, filter.severity),
        filter.rule === undefined ? undefined : eq(at.rule, filter.rule),
        after,
      ),
    )
    .orderBy(desc(at.createdAt), desc(at.id))
    .limit(limit + 1)
  const page = rows.slice(0, limit)
  const last = page.at(-1)
  return {
    findings: page.map(entryOf),
    next: rows.length > limit && last ? `${last.createdAt}.${last.id}` : null,
  }
}

const entryOf = (row: Row): FindingEntry => {
  const { id, rule, subject, severity, state, dryRun, summary, count, firstAt, lastAt } = row
  const { responses, acknowledgedBy, closedBy } = row
  return {
    ...{ id, rule, title: ruleOf(rule)?.title ?? rule, subject, severity, state, dryRun, summary },
    ...{ count, firstAt, lastAt, responses, acknowledgedBy, closedBy },
  }
}

/** One finding, with the events that stand behind it. Throws NOT_FOUND. */
export async function oneFinding({ store }: { store: Store }, { id }: { id: string }) {
  const { findings, auditEvents: at } = store.tables
  const [row] = await store.db.select().from(findings).where(eq(findings.id, id))
  if (!row) throw noSuchFinding()
  const { seq, time, event, actor, outcome, reason, address, source } = at
  const evidence =
    row.evidence.length === 0
      ? []
      : await store.db
          .select({ seq, time, event, actor, outcome, reason, address, source })
          .from(at)
          .where(inArray(at.seq, row.evidence))
          .orderBy(at.seq)
  const { acknowledgedAt, closedAt, note, createdAt } = row
  return {
    ...{ ...entryOf(row), createdAt, acknowledgedAt, closedAt, note },
    explanation: ruleOf(row.rule)?.explanation ?? null,
    evidence,
  }
}

/** Open findings by severity, for the overview and the badge. */
export async function openFindings({ store }: { store: Store }) {
  const { findings: at } = store.tables
  return store.db
    .select({ id: at.id, rule: at.rule, severity: at.severity, summary: at.summary })
    .from(at)
    .where(and(eq(at.state, 'open'), eq(at.dryRun, false), inArray(at.severity, ['high', 'critical'])))
    .orderBy(desc(at.lastAt))
    .limit(100)
}

interface MoveInput {
  id: string
  to: FindingState
  note?: string | undefined
  by: Caller
  now: number
}

const events = {
  acknowledged: 'sys_finding_acknowledged',
  closed: 'sys_finding_closed',
  open: 'sys_finding_reopened',
} as const satisfies Record<FindingState, string>

/**
 * Acknowledges, closes or reopens a finding. One that is closed grows no more: what comes after is another. Throws
 * NOT_FOUND, and CONFLICT where it is in that state already.
 */
export const moveFinding = unit('threats.move-finding', function* (tx, input: MoveInput): Work<void> {
  const { id, to, note, by, now } = input
  const { findings: at } = tx.tables
  const marks = {
    acknowledged: { acknowledgedAt: now, acknowledgedBy: by.actor },
    closed: { closedAt: now, closedBy: by.actor, growing: null },
    open: { acknowledgedAt: null, acknowledgedBy: null, closedAt: null, closedBy: null },
  }[to]
  const from = to === 'acknowledged' ? eq(at.state, 'open') : ne(at.state, to)
  const [moved] = yield* q(
    tx.db
      .update(at)
      .set({ state: to, updatedAt: now, ...marks, ...(note === undefined ? {} : { note }) })
      .where(and(eq(at.id, id), from))
      .returning({ rule: at.rule, subject: at.subject }),
  )
  if (!moved) {
    const [row] = yield* q(tx.db.select({ state: at.state }).from(at).where(eq(at.id, id)))
    if (!row) throw noSuchFinding()
    throw new HoldfastError('CONFLICT', {
      message: `This finding is ${row.state} already.`,
      remedy: 'Load the page again to see what became of it.',
    })
  }
  yield* appendAudit(tx, {
    ...by,
    ...{ time: now, event: events[to], outcome: 'success', target: `finding:${id}` },
    after: { ...moved, state: to, ...(note ? { note } : {}) },
  })
})

const noSuchFinding = () => new HoldfastError('NOT_FOUND', 'There is no such finding.')
