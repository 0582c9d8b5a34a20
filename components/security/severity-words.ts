import type { RouterOutputs } from '@/server/routers/_app'

export type Severity = RouterOutputs['security']['events']['list']['events'][number]['severity']

/** From what matters least to what matters most. */
export const severityOrder = [
  'info',
  'low',
  'medium',
  'high',
  'critical',
] as const satisfies readonly Severity[]

export const severityWords: Record<Severity, string> = {
  info: 'Info',
  low: 'Low',
  medium: 'Medium',
  high: 'High',
  critical: 'Critical',
}
