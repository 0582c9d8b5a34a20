import type { RouterInputs, RouterOutputs } from '@/server/routers/_app'

type Outputs = RouterOutputs['cache']

export type KeyPage = Outputs['keys']
export type KeyFacts = KeyPage['keys'][number]
export type KeyFolder = KeyPage['folders'][number]
export type KeyValueFacts = Outputs['key']
export type KeyContent = KeyValueFacts['content']
export type MatchCount = Outputs['match']
export type KeyScope = RouterInputs['cache']['match']['scope']
export type ClearTarget = RouterInputs['cache']['clear']
