import { ByText } from '@/db/by-text'
import { HoldfastError } from '@/server/errors'
import { MARK } from './mark'
import { fingerprintOf, hidden, shortened } from './text'
import type { Missing, StatementFigures, StatementPlan, Statements } from './types'

/** One text as it is counted somewhere; several may be one statement. */
export interface Counted {
  text: string
  calls: number
  totalMs: number
  maxMs: number | null
  rows: number | null
  errors: number | null
  /** Block reads that the server's cache answered, and all of them. */
  hits: number | null
  reads: number | null
}

const MOST = 500
/** More texts than are shown, as several may be one statement. */
export const MOST_TEXTS = 1_000

const known = new ByText((sql: string) => {
  const { text, whole } = hidden(sql)
  return { text, whole, fingerprint: fingerprintOf(text) }
}, MOST_TEXTS)

interface Group extends Counted {
  fingerprint: string
  whole: boolean
}

/** Statements by total time, and the texts by which they can be planned. */
export interface Grouped {
  statements: StatementFigures[]
  /** Normalised texts by fingerprint; null of one that is too long to be kept whole. */
  texts: Map<string, string | null>
}

/**
 * Makes one of texts that differ only in values. @param totalMs of all statements, of which these are the longest.
 */
export function grouped(counted: Iterable<Counted>, totalMs: number): Grouped {
  const groups = new Map<string, Group>()
  for (const each of counted) {
    const { text, whole, fingerprint } = known.of(each.text)
    if (text === '') continue
    const group = groups.get(fingerprint)
    if (group) add(group, each)
    else groups.set(fingerprint, { ...each, text, whole, fingerprint })
  }
  const first = [...groups.values()].sort((a, b) => b.totalMs - a.totalMs).slice(0, MOST)
  return {
    statements: first.map((group) => toFigures(group, totalMs)),
    texts: new Map(first.map(({ fingerprint, text, whole }) => [fingerprint, whole ? text : null])),
  }
}

function add(group: Group, more: Counted): void {
  group.calls += more.calls
  group.totalMs += more.totalMs
  group.maxMs = both(group.maxMs, more.maxMs, Math.max)
  for (const name of ['rows', 'errors', 'hits', 'reads'] as const) {
    group[name] = both(group[name], more[name], (a, b) => a + b)
  }
}

function both(a: number | null, b: number | null, of: (a: number, b: number) => number): number | null {
  return a === null || b === null ? null : of(a, b)
}

function toFigures(group: Group, all: number): StatementFigures {
  const { fingerprint, text, calls, totalMs, maxMs, rows, errors, hits, reads } = group
  return {
    fingerprint,
    text: shortened(text),
    calls,
    totalMs,
    meanMs: calls === 0 ? 0 : totalMs / calls,
    maxMs,
    rows,
    errors,
    cacheHitRatio: hits === null || !reads ? null : hits / reads,
    share: all === 0 ? 0 : totalMs / all,
  }
}

/** What this process counted itself, without what the inspection asks. */
export function ownStatements(
  counted: readonly { text: string; calls: number; errors: number; totalMs: number; maxMs: number }[],
  since: number,
  missing: Missing | null,
): Statements & Grouped {
  const mine = counted.filter(({ text }) => !text.includes(MARK)).sort((a, b) => b.totalMs - a.totalMs)
  const totalMs = mine.reduce((sum, each) => sum + each.totalMs, 0)
  const first = mine.slice(0, MOST_TEXTS).map(({ text, calls, errors, totalMs, maxMs }) => ({
    ...{ text, calls, errors, totalMs, maxMs },
    ...{ rows: null, hits: null, reads: null },
  }))
  return { source: 'own', since, missing, ...grouped(first, totalMs) }
}

/**
 * Finds the text of a statement among those that were read last, or else anew, and plans it. Throws NOT_FOUND when
 * it is in neither.
 */
export function planner(
  read: () => Promise<Statements & Grouped>,
  plan: (text: string) => Promise<StatementPlan>,
): { statements(): Promise<Statements>; plan(fingerprint: string): Promise<StatementPlan> } {
  let texts: Grouped['texts'] = new Map()
  const readAnew = async (): Promise<Statements> => {
    const { texts: fresh, ...statements } = await read()
    texts = fresh
    return statements
  }
  return {
    statements: readAnew,
    async plan(fingerprint) {
      if (!texts.has(fingerprint)) await readAnew()
      const text = texts.get(fingerprint)
      if (text === undefined) throw notCounted()
      if (text === null) return { plan: null, because: 'The statement is too long to be kept whole.' }
      return plan(text)
    },
  }
}

function notCounted(): HoldfastError {
  return new HoldfastError('NOT_FOUND', {
    message: 'This statement is not counted any more.',
    remedy: 'Look at the list of statements anew.',
  })
}
