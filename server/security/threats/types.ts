import type { Severity } from '@/db/tables'
import type { AuditRow } from '@/server/audit'

/** What rules read of an audit event. */
export type ThreatRow = Pick<
  AuditRow,
  | 'seq'
  | 'time'
  | 'event'
  | 'actorId'
  | 'actor'
  | 'target'
  | 'outcome'
  | 'reason'
  | 'address'
  | 'sessionId'
  | 'before'
  | 'after'
  | 'severity'
  | 'source'
>

/** What a rule may do beside reporting: every finding is an alert, too, unless the rule is tried dry. */
export type Response = 'notify' | 'require a fresh factor' | 'end sessions' | 'block'

export interface Param {
  label: string
  unit: 'events' | 'accounts' | 'addresses' | 'minutes' | 'hours' | 'days' | '%' | 'km' | 'km/h'
  least: number
  most: number
  /** The default. */
  value: number
}

export type Params = Record<string, number>

/** What an admin chose for a rule. */
export interface RuleSetting {
  enabled: boolean
  dryRun: boolean
  response: Response
  params: Params
}

/** Whom a finding is about, for what is done about it. */
export interface Targets {
  address?: string | null
  userId?: string | null
  sessionId?: string | null
}

/** What one event means for a rule. */
export interface Reading extends Targets {
  /** What the rule groups by: `address:…`, `user:…`, `session:…`. */
  subject: string
  /** `relief` makes the share of what counts smaller; `trigger` is what the counted ones lead up to. */
  part: 'count' | 'relief' | 'trigger'
  /** Counted once however often it comes. */
  value?: string
  /** How many events this one stands for; 1 if absent. */
  weight?: number
}

/** What stands in a window when it is judged. */
export interface Figures {
  count: number
  /** Different values among the counted. */
  distinct: number
  relief: number
  /** Whether the event that is judged now is a trigger. */
  triggered: boolean
}

export interface Place {
  latitude: number
  longitude: number
  /** Radius of error, km. */
  radius: number
  name: string
}

/** What rules know beside the log. */
export interface RuleFacts {
  /** Where an address is; null where that is unknown. Absent without an MMDB. */
  place?: (address: string) => Place | null
}

interface RuleBase {
  id: string
  title: string
  /** What it looks for and why that matters, for who reads a finding. */
  explanation: string
  /** Names of events; a trailing * is a prefix. */
  events: readonly string[]
  severity: Severity
  params: Record<string, Param>
  /** The first is the default. */
  responses: readonly [Response, ...Response[]]
  /** Whether it judges what other applications report: together with the console's own, never, or alone. */
  outside: 'too' | 'never' | 'only'
  /** Why it cannot work here; null when it can. */
  unavailable?: (facts: RuleFacts) => string | null
}

/** Finds when what one window holds is enough. A rule without `fires` finds at every event that it reads. */
export interface WindowRule extends RuleBase {
  kind: 'window'
  /** Milliseconds; also how long a finding grows after its last event. */
  windowMs(params: Params): number
  read(row: ThreatRow, params: Params): Reading | null
  fires?: (figures: Figures, params: Params) => boolean
  /** Overrides `severity`. */
  severityOf?: (row: ThreatRow) => Severity
  words(row: ThreatRow, figures: Figures, params: Params): string
}

/** Finds by comparing an event with the one before of the same subject. */
export interface PairRule<M = unknown> extends RuleBase {
  kind: 'pair'
  windowMs(params: Params): number
  /** Null: the event says nothing. */
  read(row: ThreatRow, facts: RuleFacts): (Targets & { subject: string; memory: M }) | null
  /** Words when the two do not fit together. */
  compare(earlier: M, later: M, params: Params): string | null
}

export type Rule = WindowRule | PairRule

/** What a rule has found of one subject in a batch of events. */
export interface Hit extends Targets {
  rule: string
  subject: string
  source: string | null
  severity: Severity
  /** Whether the window was enough at one of these events; else they only add to a finding that grows. */
  meets: boolean
  summary: string
  /** Events that count and did not count for an earlier hit. */
  count: number
  firstAt: number
  lastAt: number
  /** Their seqs; bounded. */
  evidence: number[]
  /** Quiet time after which the next hit is another finding, ms. */
  cooldownMs: number
}
