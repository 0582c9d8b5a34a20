import type { RouterOutputs } from '@/server/routers/_app'

type Outputs = RouterOutputs['database']

export type Missing = NonNullable<Outputs['statements']['missing']>
export type Statements = Outputs['statements']
export type Statement = Statements['statements'][number]
export type TableFigures = Outputs['tables']['tables'][number]
export type IndexFigures = TableFigures['indexes'][number]
export type OfferedAdvice = Outputs['advice']
export type OfferedIndex = OfferedAdvice['advice'][number]
export type OfferedProblem = OfferedAdvice['problems'][number]
export type IndexChange = Outputs['indexChanges'][number]
export type Stats = Outputs['stats']
export type PoolDetail = NonNullable<Outputs['pool']>
export type Topology = Outputs['topology']
export type NodeFigures = Topology['nodes'][number]
export type ServerSession = Outputs['sessions']['sessions'][number]
export type ServerFacts = Outputs['server']
