import type { StatusKind } from '@/components/ui/status'
import type { RouterOutputs } from '@/server/routers/_app'

export type Alert = RouterOutputs['security']['alerts']['list']['rows'][number]
export type Severity = Alert['severity']
export type Channel = RouterOutputs['security']['alerts']['channels'][number]
export type Delivery = RouterOutputs['security']['alerts']['deliveries']['rows'][number]

export const severityWords: Record<Severity, { kind: StatusKind; word: string }> = {
  critical: { kind: 'bad', word: 'Critical' },
  high: { kind: 'bad', word: 'High' },
  medium: { kind: 'warn', word: 'Medium' },
  low: { kind: 'off', word: 'Low' },
  info: { kind: 'off', word: 'Info' },
}

/** The gravest first. */
export const severityOrder = [
  'critical',
  'high',
  'medium',
  'low',
  'info',
] as const satisfies readonly Severity[]

/** Where an alert leads: to its finding, or to the page of alerts. */
export const alertHref = ({ findingId }: Pick<Alert, 'findingId'>) =>
  findingId ? `/security/findings?finding=${findingId}` : '/security/alerts'
