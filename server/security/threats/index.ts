import { sql } from 'drizzle-orm'
import type { Store } from '@/db/store'
import type { Severity } from '@/db/tables'
import type { Caller } from '@/server/audit'
import type { Clock } from '@/server/clock'
import type { Log } from '@/server/log'
import { Repeating } from '@/server/repeating'
import type { Privilege } from '../types'
import { defaultSetting } from './engine'
import {
  type FindingFilter,
  type FindingPage,
  listFindings,
  moveFinding,
  oneFinding,
  openFindings,
} from './findings'
import { Follower } from './follow'
import { openPlaces } from './geo'
import { rules } from './rules'
import { changed, type RuleChange, readSettings, requireRule, setRule } from './settings'
import { type Trial, tryRule } from './try'
import type { Param, Response, RuleFacts, RuleSetting } from './types'

export { createEngine, evaluate } from './engine'
export { threatColumns } from './follow'
export type { Trial } from './try'
export type { ThreatRow } from './types'

/** A rule as the page shows it. */
export interface RuleEntry extends RuleSetting {
  id: string
  title: string
  explanation: string
  severity: Severity
  parameters: (Param & { name: string })[]
  responses: readonly Response[]
  /** Why it cannot work here; null when it can. */
  unavailable: string | null
  /** Findings so far, and when the last one grew. */
  findings: number
  lastAt: number | null
}

export interface Threats {
  findings: {
    list(page: FindingFilter & { before?: string | undefined; limit: number }): Promise<FindingPage>
    one(of: { id: string }): ReturnType<typeof oneFinding>
    /** These three throw NOT_FOUND and CONFLICT. */
    acknowledge(of: { id: string; note?: string | undefined }, by: Caller): Promise<void>
    close(of: { id: string; note?: string | undefined }, by: Caller): Promise<void>
    reopen(of: { id: string; note?: string | undefined }, by: Caller): Promise<void>
    /** Open ones of severity high and critical, the latest first. */
    open(): ReturnType<typeof openFindings>
  }
  rules: {
    list(): Promise<RuleEntry[]>
    /** Takes a grant. */
    set(change: RuleChange, use: Privilege): Promise<RuleSetting>
    /** What the rule would have found in the last 7 days, set like this. */
    try(change: RuleChange): Promise<Trial>
  }
  /** Judges what came since the last time, now. */
  tick(): Promise<void>
  start(): Promise<void>
  close(): Promise<void>
}

export interface ThreatsDeps {
  store: Store
  clock: Clock
  log: Log
  /** Names this instance. */
  instance: string
  /** Told of sessions that a rule has ended. */
  ended(sessionIds: readonly string[]): void
}

const EVERY_MS = 1_000
const TRIAL_MS = 7 * 86_400_000

interface ThreatsConfig {
  /** A file that tells where addresses are. */
  mmdb?: string | undefined
  /** Of the first, second, … block that a rule makes of an address. */
  blockDurationsMs?: readonly number[] | undefined
}

/** Opens the threat rules. */
export function openThreats(deps: ThreatsDeps, { mmdb, blockDurationsMs }: ThreatsConfig = {}): Threats {
  const { store, clock, log } = deps
  const facts: RuleFacts = {}
  const follower = new Follower({ ...deps, facts, blockDurationsMs })
  const repeating = new Repeating({
    ...{ period: EVERY_MS, pace: 'begin-to-begin', tick: () => follower.tick() },
    failed: (error, again) => {
      if (!again) log.warn({ error }, 'the threat rules could not follow the audit log')
    },
  })
  const move =
    (to: 'acknowledged' | 'closed' | 'open') => (of: { id: string; note?: string | undefined }, by: Caller) =>
      store.run(moveFinding, { ...of, to, by, now: clock.now() })

  return {
    findings: {
      list: (page) => listFindings({ store }, page),
      one: (of) => oneFinding({ store }, of),
      acknowledge: move('acknowledged'),
      close: move('closed'),
      reopen: move('open'),
      open: () => openFindings({ store }),
    },
    rules: {
      list: () => listRules({ store, facts }),
      set: (change, use) => store.run(setRule, { change, ...use, now: clock.now() }),
      async try({ rule: id, ...change }) {
        const rule = requireRule(id)
        const { byRule } = await readSettings({ store })
        const setting = changed(rule, byRule.get(id) ?? defaultSetting(rule), change)
        return tryRule({ store, facts }, { rule, setting, from: clock.now() - TRIAL_MS })
      },
    },
    tick: () => follower.tick(),
    async start() {
      facts.place = await openPlaces({ log }, mmdb)
      repeating.start()
    },
    async close() {
      await repeating.stop()
      await follower.close()
    },
  }
}

async function listRules({ store, facts }: { store: Store; facts: RuleFacts }): Promise<RuleEntry[]> {
  const { findings: at } = store.tables
  const [{ byRule }, figures] = await Promise.all([
    readSettings({ store }),
    store.db
      .select({ rule: at.rule, findings: sql<number>`count(*)`, lastAt: sql<number>`max(${at.lastAt})` })
      .from(at)
      .groupBy(at.rule),
  ])
  return rules.map((rule) => {
    const { id, title, explanation, severity, responses } = rule
    const figure = figures.find((each) => each.rule === id)
    return {
      ...{ id, title, explanation, severity, responses },
      ...(byRule.get(id) ?? defaultSetting(rule)),
      parameters: Object.entries(rule.params).map(([name, param]) => ({ name, ...param })),
      unavailable: rule.unavailable?.(facts) ?? null,
      findings: Number(figure?.findings ?? 0),
      lastAt: figure ? Number(figure.lastAt) : null,
    }
  })
}
