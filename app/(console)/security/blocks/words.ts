import { formatDuration, formatNumber } from '@/components/ui/format'
import type { RouterOutputs } from '@/server/routers/_app'

export type Block = RouterOutputs['security']['blocks']['list'][number]
export type TrustedSource = RouterOutputs['security']['trusted']['list'][number]
export type LimitsState = RouterOutputs['security']['limits']['state']
type Rate = LimitsState['address']

/** `6,000 in 1 min`. */
export function rateWords(rate: Rate): string {
  return rate ? `${formatNumber(rate.most)} in ${durationWords(rate.windowMs)}` : 'off'
}

/** Without a zero at the end: `1 min`, not `1 min 0 s`. */
export function durationWords(ms: number): string {
  return formatDuration(ms).replace(/(?<=[a-z]) 0 [a-z]+$/, '')
}

/** Who asked for a block: the limits, a rule by its name, or a person by e-mail address. */
export const originWords = ({ origin, createdBy }: Pick<Block, 'origin' | 'createdBy'>): string =>
  origin === 'limits' ? 'The limits' : createdBy

export const layerWords: Record<LimitsState['limited'][number]['layer'], string> = {
  address: 'Address',
  endpoint: 'Procedure',
  user: 'User',
  account: 'Account',
}
