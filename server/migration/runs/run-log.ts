import { randomUUID } from 'node:crypto'
import type { Store } from '@/db/store'
import type { Clock } from '@/server/clock'
import type { Phase } from '../types'
import type { Task } from './drive'
import { appendLog } from './drive-units'

let lines = 0

/** Notes a line in the log of a run. Lines of the same millisecond keep their order. NOT_FOUND: the run is deleted. */
export async function noteLine(
  { store, clock }: { store: Store; clock: Clock },
  runId: string,
  level: 'info' | 'warn' | 'error',
  message: string,
): Promise<void> {
  const time = clock.now()
  const order = [String(time).padStart(15, '0'), String(lines++).padStart(9, '0'), randomUUID().slice(0, 8)]
  await store.run(appendLog, { id: order.join('-'), runId, time, level, message: message.slice(0, 2_000) })
}

export const beginnings: Record<Task, string> = {
  plan: 'Checking source and target, and planning.',
  start: 'Started.',
  resume: 'Going on from the last committed batch.',
  cancel: 'Undoing what was written.',
  validate: 'Comparing both sides again.',
  follow: 'Following the source: later writes are brought over.',
}

export const endings = { completed: 'Completed.', cancelled: 'Cancelled: the target is as it was.' }

export const phaseWords: Record<Phase, string> = {
  preflight: 'Preflight',
  plan: 'Plan',
  schema: 'Schema',
  transfer: 'Transfer',
  build: 'Build',
  validate: 'Validation',
}
