import type { RunSummary } from './types'

/** Whether a run may be taken out of the history; the server has the last word. */
export function isDeletable({
  state,
  sourceKind,
  startedAt,
}: Pick<RunSummary, 'state' | 'sourceKind' | 'startedAt'>): boolean {
  if (state === 'completed') return sourceKind !== 'store'
  if (state === 'planned' || state === 'failed') return startedAt === null
  return state === 'cancelled' || state === 'switched_over' || state === 'switched_back'
}
