import type { Caller } from '@/server/audit'
import { HoldfastError } from '@/server/errors'
import type { Migration } from '../service'
import type { Run } from './run'

/** What moving the own store without anybody at the page needs. */
export interface UnattendedDeps {
  migration: Pick<
    Migration,
    | 'listRuns'
    | 'getRun'
    | 'createRun'
    | 'acknowledge'
    | 'startRun'
    | 'resumeRun'
    | 'cancelRun'
    | 'switchOver'
  >
  caller: Caller
  /** A grant for one privileged action on a run. */
  grant(action: 'migration.start' | 'migration.switchOver', runId: string): Promise<string>
  /** Resolves at the next news of a run, or a moment later. */
  news(): Promise<unknown>
  /** Told of the run whenever there is news. */
  tell(run: Run): void
}

/**
 * Moves the console's own store to the environment's PostgreSQL as an admin would on the page: checks, plan, copy,
 * validation, switchover. A run that stopped midway goes on. Answers the run: switched over, or with what is in the way.
 */
export async function moveStore(deps: UnattendedDeps): Promise<Run> {
  const { migration, caller } = deps
  let run = (await openStoreRun(deps)) ?? (await planned(deps))
  const { id } = run
  if (run.state === 'planned') {
    if (run.error || run.checks.some(({ state }) => state === 'red')) {
      await migration.cancelRun({ id, caller })
      return run
    }
    const checks = run.checks.filter(({ state }) => state === 'amber').map((check) => check.id)
    if (checks.length > 0) await migration.acknowledge({ id, checks, caller })
    await migration.startRun({ id, caller, grantId: await deps.grant('migration.start', id) })
  } else if (run.state === 'paused' || run.state === 'failed') await migration.resumeRun({ id, caller })
  run = await until(deps, id, ({ state, error }) =>
    // One that waits for another try goes on by itself.
    state === 'paused' ? error?.retryAt === undefined : state !== 'running' && state !== 'planned',
  )
  if (run.state !== 'completed' || !run.validation?.ok) return run
  await migration.switchOver({ id, caller, grantId: await deps.grant('migration.switchOver', id) })
  return migration.getRun(id)
}

/** The own store's run that was begun and is neither over nor undone: there is at most one. */
async function openStoreRun({ migration }: UnattendedDeps): Promise<Run | null> {
  const found = (await migration.listRuns()).find(
    ({ sourceKind, state, startedAt }) =>
      sourceKind === 'store' &&
      startedAt !== null &&
      ['running', 'paused', 'failed', 'cancelling', 'completed'].includes(state),
  )
  if (found?.state === 'cancelling')
    throw new HoldfastError('CONFLICT', {
      message: 'A run of the console’s own store is being cancelled.',
      remedy: 'Try again when it is.',
    })
  return found ? migration.getRun(found.id) : null
}

async function planned(deps: UnattendedDeps): Promise<Run> {
  const source = { kind: 'store' } as const
  const target = { kind: 'environment' } as const
  const { id } = await deps.migration.createRun(deps.caller, { source, target, schema: 'public' })
  return until(
    deps,
    id,
    ({ phase, plan, error, checks }) => phase === null && (plan || error || checks.length > 0),
  )
}

async function until(deps: UnattendedDeps, id: string, holds: (run: Run) => unknown): Promise<Run> {
  for (;;) {
    const news = deps.news()
    const run = await deps.migration.getRun(id)
    deps.tell(run)
    if (holds(run)) return run
    await news
  }
}
