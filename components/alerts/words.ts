import type { RouterOutputs } from '@/server/routers/_app'

export type Alert = RouterOutputs['security']['alerts']['list']['rows'][number]
export type Channel = RouterOutputs['security']['alerts']['channels'][number]
export type Delivery = RouterOutputs['security']['alerts']['deliveries']['rows'][number]

/** Where an alert leads: to its finding, or to the page of alerts. */
export const alertHref = ({ findingId }: Pick<Alert, 'findingId'>) =>
  findingId ? `/security/findings?finding=${findingId}` : '/security/alerts'
