import { hours, said } from '../read'
import type { WindowRule } from '../types'

const ranks: Record<string, number> = { viewer: 1, operator: 2, admin: 3 }

const rank = (json: string | null) => {
  const { role } = said(json)
  return typeof role === 'string' ? (ranks[role] ?? 0) : 0
}

const selfGranted: WindowRule = {
  id: 'self-granted-role',
  kind: 'window',
  title: 'Role given to oneself',
  explanation:
    'Somebody raised the role of their own account. The console lets nobody do that, so that it happened elsewhere or against it.',
  events: ['privilege_permissions_changed'],
  severity: 'critical',
  outside: 'too',
  responses: ['notify', 'require a fresh factor', 'end sessions'],
  params: {
    window: { label: 'Counted together within', unit: 'hours', least: 1, most: 72, value: 1 },
  },
  windowMs: ({ window = 0 }) => hours(window),
  read(row) {
    const { actorId, actor, target, outcome, before, after, source } = row
    const own = target !== null && (target === actorId || target === actor)
    if (!own || outcome !== 'success') return null
    // What another application calls its roles has no order here: any change of one's own counts.
    if (source === null && rank(after) <= rank(before)) return null
    return { subject: `user:${target}`, part: 'count', userId: source === null ? actorId : null }
  },
  words({ actor, before, after }) {
    const [from, to] = [said(before).role, said(after).role].map((role) =>
      String(role ?? 'unknown').slice(0, 40),
    )
    return `${actor} changed the own role from ${from} to ${to}.`
  },
}

const factorReset: WindowRule = {
  id: 'factor-removed',
  kind: 'window',
  title: 'Second factor taken away',
  explanation: 'An account lost a second factor, by its owner or by an admin: the next sign-in is easier.',
  events: ['authn_factor_removed', 'authn_factor_reset'],
  severity: 'low',
  outside: 'too',
  responses: ['notify', 'require a fresh factor', 'end sessions'],
  params: {
    window: { label: 'Counted together within', unit: 'hours', least: 1, most: 72, value: 1 },
  },
  windowMs: ({ window = 0 }) => hours(window),
  read: ({ target, actor, source }) => ({
    subject: `user:${target ?? actor}`,
    part: 'count',
    userId: source === null ? target : null,
  }),
  words: ({ actor, event }) =>
    event === 'authn_factor_reset'
      ? `${actor} took all second factors of a user away.`
      : `${actor} removed a second factor.`,
}

/** Rules about what somebody may do. */
export const rightsRules = [selfGranted, factorReset] as const
