import type { RouterOutputs } from '@/server/routers/_app'

export type OutboundReport = RouterOutputs['cache']['outbound']
export type OutboundPool = OutboundReport['pools'][number]
export type OriginFigures = OutboundReport['origins'][number]
