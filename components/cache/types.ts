import type { RouterOutputs } from '@/server/routers/_app'

type Outputs = RouterOutputs['cache']

export type Stats = Outputs['stats']
export type NamespaceFigures = Stats['namespaces'][number]
export type MissReason = keyof Stats['missesBy']
export type NodesReport = Outputs['nodes']
export type NodeFacts = NodesReport['nodes'][number]
export type SlowLogReport = Outputs['slowLog']
export type SlowCommand = SlowLogReport['commands'][number]
export type SampleReport = Outputs['sample']
export type SampledGroup = SampleReport['groups'][number]
export type SampledKey = SampleReport['biggest'][number]
