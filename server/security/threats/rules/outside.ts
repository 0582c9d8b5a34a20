import { minutes } from '../read'
import type { WindowRule } from '../types'

const alarm: WindowRule = {
  id: 'outside-alarm',
  kind: 'window',
  title: 'Alarm of another application',
  explanation: 'An application that reports its events here calls one of them high or critical.',
  events: ['*'],
  severity: 'medium',
  outside: 'only',
  responses: ['notify'],
  params: {
    window: { label: 'Counted together within', unit: 'minutes', least: 1, most: 1_440, value: 60 },
  },
  windowMs: ({ window = 0 }) => minutes(window),
  read: ({ event, severity }) =>
    severity === 'high' || severity === 'critical' ? { subject: `event:${event}`, part: 'count' } : null,
  severityOf: ({ severity }) => severity ?? 'medium',
  words: ({ source, event, actor, reason }) =>
    `${source} reports ${event} of ${actor}${reason ? `: ${reason.replace(/\.$/, '')}` : ''}.`,
}

/** Rules about what other applications report alone. */
export const outsideRules = [alarm] as const
