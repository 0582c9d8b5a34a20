import type pg from 'pg'
import { MigrationError } from '../failure'
import { plainTables } from '../plan/choices'
import { sourceFacts } from '../source/open'
import { inspect } from '../source/source'
import { checkUnbuilt, type Unbuilt } from '../target/build'
import { readRejects } from '../target/rejects'
import { connectTarget, disconnect } from '../target/target'
import { type Bounds, EVERYTHING, scanOf, splitTable } from '../transfer/ranges'
import type { Job, Plan, PlannedTable, RejectedRow, RunReport, Validation } from '../types'
import { orderedScan } from '../validation/order'
import { checkStructure } from '../validation/structure'
import { checkCompared } from '../validation/structure-compared'
import { compareTable } from '../validation/validate'
import { openMeter } from './progress'
import {
  dataVersion,
  type EngineDependencies,
  partsOf,
  phase,
  reporter,
  type Session,
  withSession,
} from './session'

/** Compares both sides by a plan, whatever filled the target. */
export async function runValidation(deps: EngineDependencies, job: Job): Promise<Validation> {
  const { plan } = job
  if (!plan) throw needsPlan()
  return withSession(deps, job, async (session) => {
    const client = await connectTarget(job.target)
    try {
      const rejects = job.rejected ?? (await readRejects(client, job.runId))
      return await phase(deps, session, 'validate', () =>
        validate(deps, session, client, plan, { parts: new Map(), rejects }),
      )
    } finally {
      await disconnect(client)
    }
  })
}

/**
 * A run that only compares: it takes no lock and keeps no books, so that nothing at all is written. Begun again after
 * an interruption, it compares from the start.
 */
export async function compareRun(deps: EngineDependencies, job: Job): Promise<RunReport> {
  const { plan } = job
  if (!plan) throw needsPlan()
  const startedAt = deps.clock.now()
  return withSession(deps, job, async (session) => {
    const client = await connectTarget(job.target)
    try {
      const validation = await phase(deps, session, 'validate', () =>
        validate(deps, session, client, plan, { parts: new Map(), rejects: [] }),
      )
      const { password: _, ...target } = job.target
      const report: RunReport = {
        runId: job.runId,
        source: sourceFacts(session.watch),
        target,
        mode: 'compare',
        startedAt,
        finishedAt: deps.clock.now(),
        phases: session.times,
        transferMilliseconds: 0,
        rows: validation.tables.reduce((sum, table) => sum + table.sourceRows, 0),
        bytes: 0,
        tables: [],
        checks: validation.checks,
        validation,
        rejected: 0,
        notCarried: plan.notCarried,
        plan,
      }
      deps.emit({ type: 'done', report })
      return report
    } finally {
      await disconnect(client)
    }
  })
}

function needsPlan(): MigrationError {
  return new MigrationError(
    'RUN_UNKNOWN',
    'A validation needs the plan of its run.',
    'Name a run that has one.',
  )
}

/** What the transfer knows: its ranges, if it was just now, and the rows that it rejected. */
export interface Transferred {
  parts: ReadonlyMap<string, Bounds[]>
  rejects: readonly RejectedRow[]
  /** What could not be built because of the rows. */
  unbuilt?: readonly Unbuilt[]
}

/** Compares every table in the session's snapshot without its rejected rows, then the structure. */
export async function validate(
  deps: EngineDependencies,
  session: Session,
  client: pg.Client,
  plan: Plan,
  { parts, rejects, unbuilt = [] }: Transferred,
): Promise<Validation> {
  const { pool, watch } = session
  const utf16 = sourceFacts(watch).encoding !== 'UTF-8'
  const meter = openMeter(
    deps.clock,
    plan.tables.map((table) => {
      const rejected = rejects.filter((row) => row.table === table.source).length
      return { name: table.target, rows: Math.max(0, table.rows - rejected) }
    }),
  )
  const show = reporter(deps, 'validate', () => ({ ...meter.totals(), tables: meter.tables() }))
  try {
    const compared = await Promise.all(
      plan.tables.map(async (table) => {
        const rejected = rejects.flatMap((row) => (row.table === table.source && row.position) || [])
        const task = (bounds: Bounds) => ({ table, schema: plan.schema, bounds, utf16, rejected })
        const news = ({ read }: { read: number }) => {
          meter.add(table.target, { read, written: read })
          show.soon()
        }
        const validation = await compareTable(table, rangesToCompare(session, table, parts), {
          ordered: (_, bounds) => pool.run({ kind: 'digest', task: task(bounds) }, news),
          sourceSet: (_, bounds) => pool.run({ kind: 'digestSource', task: task(bounds) }, news),
          targetSet: () => pool.run({ kind: 'digestTarget', task: task(EVERYTHING) }),
          setDifference: () => pool.run({ kind: 'setDifference', task: task(EVERYTHING) }),
        })
        await deps.control.gate()
        deps.emit({ type: 'table', validation })
        return validation
      }),
    )
    const checks =
      plan.mode === 'compare'
        ? await checkCompared(
            client,
            plan,
            inspect(watch, session.job.exclude, plainTables(session.job.choices)),
          )
        : await checkStructure(client, plan)
    // Later writes to a source with capture are noted, and follow.
    const broken = checkUnbuilt(unbuilt)
    if (broken) checks.unshift(broken)
    const sourceChanged = !session.job.capture && dataVersion(watch) !== session.version
    if (sourceChanged) {
      checks.push({
        id: 'source-changed',
        title: 'Source unchanged',
        state: 'amber',
        detail: 'Something was written to the source after its rows were read; that is not in the target.',
        remedy: 'Stop what writes to it and run again, or go on if the later changes may be lost.',
      })
    }
    const ok = compared.every((table) => table.ok) && checks.every((check) => check.state !== 'red')
    const validation: Validation = { ok, tables: compared, checks, sourceChanged }
    deps.emit({ type: 'validation', validation })
    return validation
  } finally {
    show.end()
  }
}

/** The transfer's ranges where both read by the same key; otherwise one range a table, cut anew if it may be. */
function rangesToCompare(
  { watch, pool }: Session,
  table: PlannedTable,
  parts: ReadonlyMap<string, Bounds[]>,
): Bounds[] {
  const ordered = orderedScan(table)
  const scan = scanOf(table)
  const same = !ordered || (ordered.columns.join() === scan.columns.join() && !scan.descending)
  if (!same) return [EVERYTHING]
  return parts.get(table.source) ?? splitTable(watch, table, partsOf(table, pool.size))
}
