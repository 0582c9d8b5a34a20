import { eq } from 'drizzle-orm'
import type { Store } from '@/db/store'
import { q, type Tx, unit, type Work } from '@/db/unit'
import { appendAudit } from '@/server/audit'
import { HoldfastError } from '@/server/errors'
import { useGrant } from '@/server/grants'
import type { Privilege } from '../types'
import { defaultSetting } from './engine'
import { ruleOf, rules } from './rules'
import type { Response, Rule, RuleSetting } from './types'

type Row = Store['tables']['ruleSettings']['$inferSelect']

/** A stored row against the rule as it is in this release: what does not fit any more has its default. */
export function settingOf(
  rule: Rule,
  row: Pick<Row, 'enabled' | 'dryRun' | 'params'> | undefined,
): RuleSetting {
  const setting = defaultSetting(rule)
  if (!row) return setting
  const { response, ...params } = row.params
  for (const [name, value] of Object.entries(params)) {
    const param = rule.params[name]
    if (param && typeof value === 'number' && value >= param.least && value <= param.most) {
      setting.params[name] = value
    }
  }
  const known = rule.responses.find((each) => each === response)
  return { ...setting, enabled: row.enabled, dryRun: row.dryRun, response: known ?? setting.response }
}

export interface Settings {
  byRule: Map<string, RuleSetting>
  /** Changes with every change of one of them. */
  version: string
}

export async function readSettings({ store }: { store: Store }): Promise<Settings> {
  const rows = await store.db.select().from(store.tables.ruleSettings)
  const byRule = new Map(
    rules.map((rule) => [
      rule.id,
      settingOf(
        rule,
        rows.find((row) => row.rule === rule.id),
      ),
    ]),
  )
  return { byRule, version: JSON.stringify([...byRule]) }
}

/** What an admin sets of a rule; what is absent stays. */
export interface RuleChange {
  rule: string
  enabled?: boolean | undefined
  dryRun?: boolean | undefined
  response?: Response | undefined
  params?: Record<string, number> | undefined
}

interface SetInput extends Privilege {
  change: RuleChange
  now: number
}

/** Sets a rule. Throws NOT_FOUND, BAD_INPUT for a parameter out of its range, STEP_UP_REQUIRED. */
export const setRule = unit('threats.set-rule', function* (tx, input: SetInput): Work<RuleSetting> {
  const { change, by, grantId, now } = input
  yield* useGrant(tx, { grantId, by, action: 'security.rules.set', input: change, now })
  const rule = requireRule(change.rule)
  const { ruleSettings } = tx.tables
  const [row] = yield* q(tx.db.select().from(ruleSettings).where(eq(ruleSettings.rule, rule.id)))
  const before = settingOf(rule, row)
  const after = changed(rule, before, change)
  const { response, params, enabled, dryRun } = after
  const values = { enabled, dryRun, params: { ...params, response }, updatedAt: now, updatedBy: by.actor }
  yield* q(
    tx.db
      .insert(ruleSettings)
      .values({ rule: rule.id, ...values })
      .onConflictDoUpdate({ target: ruleSettings.rule, set: values }),
  )
  yield* told(tx, { by, now, rule, before, after })
  return after
})

interface Told {
  by: Privilege['by']
  now: number
  rule: Rule
  before: RuleSetting
  after: RuleSetting
}

const told = (tx: Tx, { by, now, rule, before, after }: Told) =>
  appendAudit(tx, {
    ...by,
    time: now,
    event: 'sys_rule_changed',
    outcome: 'success',
    target: `rule:${rule.id}`,
    before: { ...before },
    after: { ...after },
  })

export function requireRule(id: string): Rule {
  const rule = ruleOf(id)
  if (!rule) throw new HoldfastError('NOT_FOUND', 'There is no such rule.')
  return rule
}

/** A setting with a change applied. Throws BAD_INPUT. */
export function changed(rule: Rule, before: RuleSetting, change: Omit<RuleChange, 'rule'>): RuleSetting {
  const { enabled = before.enabled, dryRun = before.dryRun, response = before.response } = change
  if (!rule.responses.includes(response)) {
    throw refuse('response', `this rule can ${rule.responses.join(', ')}`)
  }
  const params = { ...before.params }
  for (const [name, value] of Object.entries(change.params ?? {})) {
    const param = Object.hasOwn(rule.params, name) ? rule.params[name] : undefined
    if (!param) throw refuse(`params.${name}`, 'this rule has no such parameter')
    if (!Number.isInteger(value) || value < param.least || value > param.most) {
      throw refuse(`params.${name}`, `enter a whole number from ${param.least} to ${param.most}`)
    }
    params[name] = value
  }
  return { enabled, dryRun, response, params }
}

const refuse = (path: string, message: string) =>
  new HoldfastError('BAD_INPUT', {
    message: `${path}: ${message}.`,
    details: { issues: [{ path, message }] },
  })
