import { and, asc, gt, gte } from 'drizzle-orm'
import type { Store } from '@/db/store'
import { createEngine, evaluate } from './engine'
import { threatColumns } from './follow'
import type { Hit, Rule, RuleFacts, RuleSetting } from './types'

const BATCH = 1_000
/** Events that one trial reads at most. */
const MOST = 200_000
const SHOWN = 20

export interface Trial {
  /** Findings that there would have been. */
  findings: number
  /** The latest of them. */
  latest: Pick<Hit, 'subject' | 'severity' | 'summary' | 'count' | 'firstAt' | 'lastAt'>[]
  /** Events that were read, and whether there are more than a trial reads. */
  events: number
  complete: boolean
  from: number
}

/** What a rule would have found in the log since `from`, had it been set like this. Changes nothing. */
export async function tryRule(
  { store, facts }: { store: Store; facts: RuleFacts },
  { rule, setting, from }: { rule: Rule; setting: RuleSetting; from: number },
): Promise<Trial> {
  const { auditEvents: at } = store.tables
  const settings = new Map([[rule.id, { ...setting, enabled: true }]])
  const engine = createEngine(settings, facts, [rule])
  const grown = new Map<string, Hit>()
  const found: Hit[] = []
  // By the index of times; a few that came late may lie before it.
  const [first] = await store.reads
    .select({ seq: at.seq })
    .from(at)
    .where(gte(at.time, from))
    .orderBy(asc(at.time))
    .limit(1)
  engine.seq = (first?.seq ?? 1) - 1
  let events = 0
  let complete = false
  while (events < MOST && !complete) {
    const rows = await store.reads
      .select(threatColumns(store))
      .from(at)
      .where(and(gt(at.seq, engine.seq), gte(at.time, from)))
      .orderBy(asc(at.seq))
      .limit(BATCH)
    events += rows.length
    complete = rows.length < BATCH
    for (const hit of evaluate(engine, rows)) {
      const earlier = grown.get(hit.subject)
      if (earlier && hit.firstAt - earlier.lastAt <= hit.cooldownMs) {
        earlier.count += hit.count
        earlier.lastAt = Math.max(earlier.lastAt, hit.lastAt)
        if (hit.meets) earlier.summary = hit.summary
      } else if (hit.meets) {
        found.push(hit)
        grown.set(hit.subject, hit)
      }
    }
    await new Promise((resolve) => setImmediate(resolve))
  }
  const latest = found.slice(-SHOWN).reverse()
  return {
    ...{ findings: found.length, events, complete, from },
    latest: latest.map(({ subject, severity, summary, count, firstAt, lastAt }) => ({
      ...{ subject, severity, summary, count, firstAt, lastAt },
    })),
  }
}
