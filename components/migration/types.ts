import type { RouterInputs, RouterOutputs } from '@/server/routers/_app'

export type Run = RouterOutputs['migration']['run']
export type RunSummary = RouterOutputs['migration']['runs'][number]
export type RunState = Run['state']
export type RunPhase = Run['phase']
export type Progress = NonNullable<Run['progress']>
export type Plan = NonNullable<Run['plan']>
export type PlannedTable = Plan['tables'][number]
export type Choices = NonNullable<Run['choices']>
export type Check = Run['checks'][number]
export type Validation = NonNullable<Run['validation']>
export type Sources = RouterOutputs['migration']['sources']
export type SourceFile = Sources['files'][number]
export type Targets = RouterOutputs['migration']['targets']
export type Connection = Targets['connections'][number]
export type ConnectionInput = RouterInputs['migration']['createConnection']
export type ConnectionSteps = RouterOutputs['migration']['testTarget']
export type SourceRef = RouterInputs['migration']['create']['source']
export type TargetRef = RouterInputs['migration']['create']['target']

/** What the event stream carries of a run that goes on. */
export interface RunTick {
  state: RunState
  phase: RunPhase
  progress: Progress | null
}
