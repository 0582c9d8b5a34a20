import type { Severity } from '@/db/tables'
import { atLeast } from '@/server/audit/severity'
import { type RecentMap, recentMap } from './recent-map'
import { rules as allRules } from './rules'
import type {
  Figures,
  Hit,
  PairRule,
  Rule,
  RuleFacts,
  RuleSetting,
  Targets,
  ThreatRow,
  WindowRule,
} from './types'
import { add, expire, type Group, type Groups, newGroups, touch } from './window'

/** Seqs that a hit carries: the first ones tell how it began, and more come with each batch. */
const mostEvidence = 40

/** Subjects that a pair rule remembers. */
const mostMemories = 10_000

interface Working {
  rule: Rule
  setting: RuleSetting
  windowMs: number
  groups: Groups
  /** What pair rules remember of each subject; a group's `foundAt` is theirs, too. */
  memories: RecentMap<{ at: number; seq: number; memory: unknown }>
}

/** The rules with what they remember of the events so far. */
export interface Engine {
  /** The last event that was evaluated. */
  seq: number
  working: Working[]
  facts: RuleFacts
  byEvent: Map<string, { own: Working[]; outside: Working[] }>
}

/** A rule as it is set before anybody changed it. */
export function defaultSetting(rule: Rule): RuleSetting {
  const params = Object.fromEntries(Object.entries(rule.params).map(([name, { value }]) => [name, value]))
  return { enabled: true, dryRun: false, response: rule.responses[0], params }
}

/** Rules that remember nothing yet. `settings` by id; a rule without one has its defaults. */
export function createEngine(
  settings: ReadonlyMap<string, RuleSetting> = new Map(),
  facts: RuleFacts = {},
  rules: readonly Rule[] = allRules,
): Engine {
  const working = rules.flatMap((rule): Working[] => {
    const setting = settings.get(rule.id) ?? defaultSetting(rule)
    if (!setting.enabled || rule.unavailable?.(facts)) return []
    const windowMs = rule.windowMs(setting.params)
    return [{ rule, setting, windowMs, groups: newGroups(), memories: recentMap(mostMemories) }]
  })
  return { seq: 0, working, facts, byEvent: new Map() }
}

/**
 * Lets the rules see events in the order of the log and answers what they find: one hit a rule and subject, or
 * more where it was quiet in between. Events that were evaluated before are left out. Pure but for what the engine remembers, which is bounded.
 */
export function evaluate(engine: Engine, rows: readonly ThreatRow[]): Hit[] {
  const hits: Hit[] = []
  const latest = new Map<string, Hit>()
  for (const row of rows) {
    if (row.seq <= engine.seq) continue
    engine.seq = row.seq
    const { own, outside } = workingOn(engine, row.event)
    for (const working of row.source === null ? own : outside) {
      const hit =
        working.rule.kind === 'window'
          ? judgeWindow(working, working.rule, row)
          : judgePair(working, working.rule, row, engine.facts)
      if (!hit) continue
      const key = `${hit.rule}|${hit.subject}`
      const earlier = latest.get(key)
      if (earlier && hit.firstAt - earlier.lastAt <= hit.cooldownMs) {
        join(earlier, hit)
        continue
      }
      hits.push(hit)
      latest.set(key, hit)
    }
  }
  return hits
}

/** The longest time that a rule looks back, ms. */
export const horizonOf = (engine: Engine): number =>
  Math.max(0, ...engine.working.map(({ windowMs }) => windowMs))

/** Lets a finding that stands in the store grow on. */
export function resume(engine: Engine, found: { rule: string; subject: string; lastAt: number }): void {
  const working = engine.working.find(({ rule }) => rule.id === found.rule)
  if (!working) return
  const group = touch(working.groups, found.subject)
  group.foundAt = Math.max(group.foundAt ?? 0, found.lastAt)
}

/** Names of events that outside applications make up must not fill the memory. */
const mostNames = 500

function workingOn(engine: Engine, event: string) {
  const known = engine.byEvent.get(event)
  if (known) return known
  const looking = engine.working.filter(({ rule }) =>
    rule.events.some((name) => (name.endsWith('*') ? event.startsWith(name.slice(0, -1)) : name === event)),
  )
  const found = {
    own: looking.filter(({ rule }) => rule.outside !== 'only'),
    outside: looking.filter(({ rule }) => rule.outside !== 'never'),
  }
  if (engine.byEvent.size >= mostNames) engine.byEvent.clear()
  engine.byEvent.set(event, found)
  return found
}

/** The same subject in another application is another one. */
const subjectIn = (source: string | null, subject: string) =>
  source === null ? subject : `source:${source}|${subject}`

const named = ({ address = null, userId = null, sessionId = null }: Targets): Targets => ({
  address,
  userId,
  sessionId,
})

function judgeWindow({ setting, windowMs, groups }: Working, rule: WindowRule, row: ThreatRow): Hit | null {
  const { params } = setting
  const reading = rule.read(row, params)
  if (!reading) return null
  const subject = subjectIn(row.source, reading.subject)
  const { part, value = null, weight = 1 } = reading
  // Without anything that leads up to it, a trigger is nothing.
  if (part === 'trigger' && !groups.map.get(subject)) return null
  const group = touch(groups, subject)
  if (part === 'trigger') expire(groups, group, row.time - windowMs)
  else {
    const entry = { at: row.time, seq: row.seq, value, weight, relief: part === 'relief' }
    if (!add(groups, group, entry, windowMs) || entry.relief) return null
  }
  const figures: Figures = {
    ...{ count: group.count, distinct: group.values?.size ?? 0, relief: group.relief },
    triggered: part === 'trigger',
  }
  const meets = rule.fires ? rule.fires(figures, params) : true
  const grows = part === 'count' && growing(group, row.time, windowMs)
  if (!meets && !grows) return null
  // Written out, not spread: in a burst of failures this runs for every event of several rules.
  const hit: Hit = {
    rule: rule.id,
    subject,
    source: row.source,
    cooldownMs: windowMs,
    severity: rule.severityOf?.(row) ?? rule.severity,
    meets,
    // What only adds to a finding leaves its words as they are.
    summary: meets ? rule.words(row, figures, params) : '',
    address: reading.address ?? null,
    userId: reading.userId ?? null,
    sessionId: reading.sessionId ?? null,
    count: weight,
    firstAt: row.time,
    lastAt: row.time,
    evidence: [row.seq],
  }
  if (grows) {
    group.foundAt = Math.max(group.foundAt ?? 0, row.time)
    return hit
  }
  const counted = group.entries.filter(({ relief }) => !relief)
  const times = [...counted.map(({ at }) => at), row.time]
  hit.firstAt = Math.min(...times)
  hit.lastAt = Math.max(...times)
  group.foundAt = hit.lastAt
  const seqs = [...counted.map(({ seq }) => seq), ...(part === 'trigger' ? [row.seq] : [])]
  hit.evidence = bounded(seqs)
  hit.count = figures.count + (part === 'trigger' ? 1 : 0)
  // What led up to a trigger has been told: another one takes as much again.
  if (part === 'trigger') forget(groups, group)
  return hit
}

const growing = ({ foundAt }: Group, at: number, windowMs: number) =>
  foundAt !== null && Math.abs(at - foundAt) <= windowMs

function forget(groups: Groups, group: Group): void {
  groups.entries -= group.entries.length
  group.entries.length = 0
  group.values = null
  group.count = 0
  group.relief = 0
}

function judgePair(
  { setting, windowMs, groups, memories }: Working,
  rule: PairRule,
  row: ThreatRow,
  facts: RuleFacts,
): Hit | null {
  const reading = rule.read(row, facts)
  if (!reading) return null
  const subject = subjectIn(row.source, reading.subject)
  const earlier = memories.get(subject)
  // One that comes late says nothing of where the subject is now.
  if (earlier && row.time < earlier.at) return null
  memories.set(subject, { at: row.time, seq: row.seq, memory: reading.memory })
  if (!earlier || row.time - earlier.at > windowMs) return null
  const summary = rule.compare(earlier.memory, reading.memory, setting.params)
  if (summary === null) return null
  const group = touch(groups, subject)
  const grows = growing(group, row.time, windowMs)
  group.foundAt = row.time
  return {
    ...{ rule: rule.id, subject, source: row.source, cooldownMs: windowMs, severity: rule.severity },
    ...{ meets: true, summary, ...named(reading) },
    ...{ count: 1, firstAt: grows ? row.time : earlier.at, lastAt: row.time },
    evidence: [earlier.seq, row.seq],
  }
}

/** Adds what a later event found to what was found in the same batch. */
function join(earlier: Hit, later: Hit): void {
  earlier.count += later.count
  earlier.firstAt = Math.min(earlier.firstAt, later.firstAt)
  earlier.lastAt = Math.max(earlier.lastAt, later.lastAt)
  for (const seq of later.evidence) {
    if (seq <= (earlier.evidence.at(-1) ?? 0)) continue
    if (earlier.evidence.push(seq) > mostEvidence) earlier.evidence.splice(mostEvidence / 2, 1)
  }
  if (later.meets || !earlier.meets) {
    Object.assign(earlier, named(later))
    earlier.summary = later.summary
    earlier.severity = worse(earlier.severity, later.severity)
  }
  earlier.meets ||= later.meets
}

export const worse = (a: Severity, b: Severity): Severity => (atLeast(a, b) ? a : b)

/** The first of them and the latest, in order. */
export function bounded(seqs: number[], most = mostEvidence): number[] {
  if (seqs.length <= most) return seqs
  return [...seqs.slice(0, most / 2), ...seqs.slice(-most / 2)]
}
