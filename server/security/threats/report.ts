import { randomUUID } from 'node:crypto'
import { and, asc, eq, inArray, isNull } from 'drizzle-orm'
import type { FindingState, Severity } from '@/db/tables'
import { locked, q, type Tx, unit, type Work } from '@/db/unit'
import { type AuditEventName, appendAudit, system } from '@/server/audit'
import { raiseAlert } from '../alerts/raise'
import { lockBlocks } from '../limits/block-units'
import { bounded, worse } from './engine'
import { respond } from './respond'
import { ruleOf } from './rules'
import { nameSubject } from './subject'
import type { Hit, Response } from './types'

/** Key in `meta` of the last event whose findings are in the store. */
export const cursorKey = 'threats-cursor'

/** What was found, with what the rule is set to do about it. */
export interface Found extends Hit {
  dryRun: boolean
  response: Response
}

interface ReportInput {
  /** Where the store stands; null before the first time. */
  from: number | null
  to: number
  found: Found[]
  /** Of the first, second, … block of an address. */
  blockDurationsMs?: readonly number[] | undefined
  now: number
}

export interface Reported {
  opened: string[]
  /** Sessions that ended for it: tell those who serve them. */
  ended: string[]
}

/**
 * Moves the cursor and reports what lies between, together: where another instance has moved it, nothing changes
 * and the answer is null, so that every event counts once. Findings, responses, alerts and their events commit
 * together.
 */
export const report = unit('threats.report', function* (tx, input: ReportInput): Work<Reported | null> {
  const { from, to, found, blockDurationsMs, now } = input
  if (!(yield* moveCursor(tx, from, to))) return null
  // Locks that others take before the log's head, in their order.
  yield* lockSessions(tx, found)
  if (found.some(({ response, address }) => response === 'block' && address)) yield* lockBlocks(tx)
  const reported: Reported = { opened: [], ended: [] }
  for (const each of found) {
    const finding = yield* keep(tx, each, now)
    if (!finding) continue
    if (finding.opened) reported.opened.push(finding.id)
    if (each.dryRun) {
      if (finding.opened) yield* tell(tx, 'sys_finding_opened', finding, each, now)
      continue
    }
    const done = each.meets
      ? yield* respond(tx, { found: each, findingId: finding.id, blockDurationsMs, now })
      : null
    if (done) {
      reported.ended.push(...done.ended)
      if (done.responses.length > 0) yield* noteResponses(tx, finding, done.responses)
    }
    if (!finding.opened && !finding.escalated) continue
    yield* raise(tx, finding, { found: each, done: done?.responses ?? [], now })
    yield* tell(tx, finding.opened ? 'sys_finding_opened' : 'sys_finding_escalated', finding, each, now)
  }
  return reported
})

function* moveCursor(tx: Tx, from: number | null, to: number): Work<boolean> {
  const { meta } = tx.tables
  const value = String(to)
  if (from === null) {
    const made = yield* q(
      tx.db.insert(meta).values({ key: cursorKey, value }).onConflictDoNothing().returning({ key: meta.key }),
    )
    return made.length > 0
  }
  const moved = yield* q(
    tx.db
      .update(meta)
      .set({ value })
      .where(and(eq(meta.key, cursorKey), eq(meta.value, String(from))))
      .returning({ key: meta.key }),
  )
  return moved.length > 0
}

function* lockSessions(tx: Tx, found: Found[]): Work<void> {
  const { sessions } = tx.tables
  const users = found.flatMap(({ userId, response, dryRun, meets }) =>
    userId && meets && !dryRun && (response === 'end sessions' || response === 'require a fresh factor')
      ? [userId]
      : [],
  )
  if (users.length === 0) return
  yield* q(
    locked(
      tx.db
        .select({ id: sessions.id })
        .from(sessions)
        .where(and(inArray(sessions.userId, [...new Set(users)]), isNull(sessions.endedAt)))
        .orderBy(asc(sessions.id)),
    ),
  )
}

export interface Kept {
  id: string
  opened: boolean
  escalated: boolean
  severity: Severity
  responses: { kind: string; target: string | null; at: number }[]
}

/** Adds a hit to the finding that grows, or opens one. Null: it is not enough for one of its own. */
function* keep(tx: Tx, found: Found, now: number): Work<Kept | null> {
  const { findings } = tx.tables
  const key = growingKey(found)
  const [growing] = yield* q(locked(tx.db.select().from(findings).where(eq(findings.growing, key))))
  if (growing && found.firstAt - growing.lastAt <= found.cooldownMs) {
    const severity = worse(growing.severity, found.severity)
    const escalated = severity !== growing.severity
    const state: FindingState = escalated ? 'open' : growing.state
    yield* q(
      tx.db
        .update(findings)
        .set({
          ...{ severity, state, updatedAt: now },
          count: growing.count + found.count,
          firstAt: Math.min(growing.firstAt, found.firstAt),
          lastAt: Math.max(growing.lastAt, found.lastAt),
          evidence: bounded([...new Set([...growing.evidence, ...found.evidence])]),
          ...(found.meets ? { summary: found.summary } : {}),
        })
        .where(eq(findings.id, growing.id)),
    )
    return { id: growing.id, opened: false, escalated, severity, responses: growing.responses }
  }
  if (!found.meets) return null
  if (growing) yield* q(tx.db.update(findings).set({ growing: null }).where(eq(findings.id, growing.id)))
  const id = randomUUID()
  const { rule, subject, severity, dryRun, summary, count, firstAt, lastAt, evidence } = found
  const opened = yield* q(
    tx.db
      .insert(findings)
      .values({
        ...{
          id,
          rule,
          subject,
          growing: key,
          severity,
          state: 'open',
          dryRun,
          summary,
          count,
          firstAt,
          lastAt,
        },
        ...{ evidence, responses: [], createdAt: now, updatedAt: now },
      })
      .onConflictDoNothing({ target: findings.growing })
      .returning({ id: findings.id }),
  )
  return opened.length > 0 ? { id, opened: true, escalated: false, severity, responses: [] } : null
}

export const growingKey = ({ rule, subject, dryRun }: { rule: string; subject: string; dryRun: boolean }) =>
  `${rule}|${subject}${dryRun ? '|dry run' : ''}`

function* noteResponses(tx: Tx, { id, responses }: Kept, done: Kept['responses']): Work<void> {
  const { findings } = tx.tables
  yield* q(
    tx.db
      .update(findings)
      .set({ responses: [...responses, ...done].slice(-20) })
      .where(eq(findings.id, id)),
  )
}

interface Raised {
  found: Found
  done: Kept['responses']
  now: number
}

function* raise(tx: Tx, { id, severity }: Kept, { found, done, now }: Raised): Work<void> {
  const rule = ruleOf(found.rule)
  const about = yield* nameSubject(tx, found.subject)
  yield* raiseAlert(tx, {
    key: `finding:${id}:${severity}`,
    ...{ findingId: id, severity, now },
    title: `${rule?.title ?? found.rule}: ${found.summary}`,
    body: [
      ...(rule ? [rule.explanation] : []),
      `It is about ${about}.`,
      ...done.map(({ kind }) => doneWords[kind] ?? `Done: ${kind}.`),
    ].join('\n'),
  })
}

const doneWords: Record<string, string> = {
  block: 'The address is blocked.',
  'end sessions': 'The sessions of the user have ended.',
  'require a fresh factor':
    'The sessions of the user do nothing more until each has proved a second factor anew.',
}

const tell = (tx: Tx, event: AuditEventName, { id, severity }: Kept, found: Found, now: number) =>
  appendAudit(tx, {
    ...system,
    ...{ time: now, event, outcome: 'success', severity },
    target: `finding:${id}`,
    reason: found.summary,
    after: { rule: found.rule, subject: found.subject, dryRun: found.dryRun, events: found.count },
  })
