import { randomUUID } from 'node:crypto'
import type { Store } from '@/db/store'
import type { Caller } from '@/server/audit'
import type { Clock } from '@/server/clock'
import { HoldfastError } from '@/server/errors'
import type { Log } from '@/server/log'
import type { Vault } from '@/server/vault'
import { stopCapture } from './capture'
import {
  type Connection,
  type ConnectionInput,
  connectionTarget,
  createConnection,
  deleteConnection,
  listConnections,
  updateConnection,
} from './connections'
import type { DriveDeps, MigrationNews, Task } from './drive'
import { Driver } from './driver'
import { MigrationError } from './failure'
import {
  fitStorePlan,
  type PostgresSide,
  prepareStore,
  refuseOccupied,
  removeStore,
  type SqliteSide,
  STAYING,
} from './own-store'
import {
  acknowledgeChecks,
  cancelRun,
  deleteRun,
  insertRun,
  noteMadeStore,
  pauseRun,
  resumeRun,
  startRun,
  type UseGrant,
} from './run-units'
import type { SwitchoverReport } from './runs'
import {
  getRun,
  type LogLine,
  listRuns,
  type Run,
  type RunSummary,
  readLog,
  runsInSwitchover,
  unfinishedPlans,
} from './runs'
import { allowedFile, listSources, resolveSource, type SourceList, type SourceRef } from './sources'
import { placeOf } from './store-choice'
import { recoverSwitchover, type SwitchoverDeps, switchOver } from './switchover'
import type { Job, Target } from './types'
import {
  deleteUpload,
  readUpload,
  receiveUpload,
  removeStaleUploads,
  type Upload,
  type UploadRequest,
  uploadFile,
} from './uploads'

export interface MigrationDeps<P extends PostgresSide> {
  store: Store
  vault: Vault
  clock: Clock
  log: Log
  publish(news: MigrationNews): void
  useGrant: UseGrant
  openPostgres(target: Target): P
  database(): SqliteSide | PostgresSide
  adopt(database: P): void
}

export interface MigrationConfig {
  dataDir: string
  sourceDirs: string[]
  uploadMax: number
  /** Bundle of the worker process. */
  workerFile: string
  migrationsFolder: string
  /** The store's own file; null on PostgreSQL. */
  storeFile: string | null
  /** The server that the environment names. */
  envTarget: Target | null
}

/** Where a run writes to, as a client names it. */
export type TargetRef = { kind: 'environment' } | { kind: 'connection'; id: string }

export interface NewRun {
  source: SourceRef
  target: TargetRef
  schema: string
}

export interface Targets {
  environment: (Omit<Target, 'password'> & { place: string }) | null
  connections: Connection[]
}

export interface Request {
  id: string
  caller: Caller
}

export interface PrivilegedRequest extends Request {
  grantId: string | null
}

/** The migrations of this console: sources, targets, runs, switchover. */
export interface Migration {
  /** Picks up runs that a former process left, and clears what is stale. */
  start(): Promise<void>
  /** Lets workers stop at a committed batch. */
  close(): Promise<void>
  uploadMax: number
  sources(): Promise<SourceList>
  targets(): Promise<Targets>
  /** The target behind a reference, password included: for a connection test in this process. */
  resolveTarget(ref: TargetRef, schema?: string): Promise<Target>
  createConnection(caller: Caller, input: ConnectionInput): Promise<Connection>
  updateConnection(caller: Caller, id: string, input: ConnectionInput): Promise<Connection>
  deleteConnection(caller: Caller, id: string): Promise<void>
  receiveUpload(caller: Caller, request: UploadRequest): Promise<Upload>
  deleteUpload(id: string): Promise<void>
  listRuns(): Promise<RunSummary[]>
  getRun(id: string): Promise<Run>
  readLog(id: string, limit: number): Promise<LogLine[]>
  /** Makes a run and begins with checks and plan. */
  createRun(caller: Caller, input: NewRun): Promise<Run>
  /** Checks and plans anew. */
  planRun(id: string): Promise<void>
  acknowledge(request: Request & { checks: string[] }): Promise<void>
  startRun(request: PrivilegedRequest): Promise<void>
  pauseRun(request: Request): Promise<void>
  resumeRun(request: Request): Promise<void>
  cancelRun(request: Request): Promise<void>
  deleteRun(request: Request): Promise<void>
  switchOver(request: PrivilegedRequest): Promise<SwitchoverReport>
}

/** Opens the migrations of this console. Nothing runs before `start()`. */
export function openMigration<P extends PostgresSide>(
  deps: MigrationDeps<P>,
  config: MigrationConfig,
): Migration {
  const { store, clock, log, vault } = deps
  const { dataDir, sourceDirs, uploadMax, workerFile, migrationsFolder, envTarget } = config
  const uploadDeps = { store, clock, dataDir, uploadMax }
  const connectionDeps = { store, clock, vault }
  const place = () => ({ sourceDirs, storeFile: store.dialect === 'sqlite' ? config.storeFile : null })

  const resolveTarget = async (ref: TargetRef, schema = 'public'): Promise<Target> => {
    if (ref.kind === 'connection') return connectionTarget(connectionDeps, ref.id, schema)
    if (!envTarget) {
      throw new HoldfastError('CONFLICT', {
        message: 'The environment names no PostgreSQL server.',
        remedy: 'Set DB_HOST and the other DB_ variables, or enter a connection.',
      })
    }
    return { ...envTarget, schema }
  }

  /** With its password, which is not kept with the run. Throws when what was named meanwhile leads elsewhere. */
  const targetOf = async ({ target, connectionId }: Run): Promise<Target> => {
    const ref: TargetRef = connectionId ? { kind: 'connection', id: connectionId } : { kind: 'environment' }
    const now = await resolveTarget(ref, target.schema).catch(() => null)
    if (now && placeOf(now) === placeOf(target) && now.user === target.user) return now
    throw new MigrationError(
      'TARGET_UNREACHABLE',
      `The password for ${target.user} at ${placeOf(target)} is not kept any more: its connection was removed or changed.`,
      'Enter the connection as it was, or start a new run.',
    )
  }

  /** Looked at anew each time: a link may have been put in the file's place. */
  const fileOf = async ({ sourceKind, source }: Run): Promise<string> => {
    if (sourceKind === 'upload') return uploadFile(uploadDeps, (await readUpload(uploadDeps, source)).id)
    return sourceKind === 'folder' ? allowedFile(sourceDirs, source) : source
  }

  const ownSide = (): SqliteSide => {
    const database = deps.database()
    if (database.dialect === 'sqlite') return database
    throw new MigrationError(
      'RUN_FINISHED',
      'The console is on PostgreSQL already.',
      'Nothing is left to do.',
    )
  }

  const withTarget = async <T>(target: Target, body: (side: P) => Promise<T>): Promise<T> => {
    const side = deps.openPostgres(target)
    try {
      return await body(side)
    } finally {
      await side.close()
    }
  }

  const job: DriveDeps['job'] = async (run: Run, task: Task): Promise<Job> => {
    const target = await targetOf(run)
    const base = { runId: run.id, source: await fileOf(run), target }
    if (run.sourceKind !== 'store') return { ...base, mode: 'create', ...(run.plan && { plan: run.plan }) }
    if (task === 'start' || task === 'resume') {
      await withTarget(target, async (side) => {
        if (!(await getRun({ store }, run.id)).target.madeStore) {
          await refuseOccupied(target, side)
          await store.run(noteMadeStore, { id: run.id })
        }
        await prepareStore(ownSide(), side, target, migrationsFolder)
      })
    }
    return {
      ...base,
      mode: task === 'plan' ? 'create' : 'existing',
      exclude: STAYING,
      ...(run.plan?.mode === 'existing' && { plan: run.plan }),
    }
  }

  const ended: DriveDeps['ended'] = async (run, state) => {
    if (run.sourceKind === 'upload') await deleteUpload(uploadDeps, run.source)
    if (run.sourceKind !== 'store' || state !== 'cancelled' || run.startedAt === null) return
    stopCapture(ownSide().client)
    const { target } = await getRun({ store }, run.id)
    if (target.madeStore) {
      const full = await targetOf(run)
      await withTarget(full, (side) => removeStore(side, full))
    }
  }

  const driver = new Driver({
    store,
    clock,
    log,
    workerFile,
    publish: deps.publish,
    job,
    fitPlan: (run, plan) => (run.sourceKind === 'store' ? fitStorePlan(plan) : plan),
    ended,
  })
  const switchoverDeps: SwitchoverDeps<P> = { ...deps, dataDir, target: targetOf }
  const background = (work: Promise<unknown>, run: string) => {
    work.catch((error) => log.error({ run, error }, 'migration run'))
  }
  const now = () => clock.now()

  return {
    uploadMax,
    async start() {
      for (const run of await runsInSwitchover({ store })) await recoverSwitchover(switchoverDeps, run)
      await removeStaleUploads(uploadDeps)
      await driver.start()
      for (const id of await unfinishedPlans({ store }, now())) background(driver.plan(id), id)
    },
    close: () => driver.close(),
    sources: () => listSources(place()),
    async targets() {
      const { password: _, ...environment } = envTarget ?? { password: '' }
      return {
        environment: envTarget && {
          ...(environment as Omit<Target, 'password'>),
          place: placeOf(envTarget),
        },
        connections: await listConnections({ store }),
      }
    },
    resolveTarget,
    createConnection: (caller, input) => createConnection(connectionDeps, caller, input),
    updateConnection: (caller, id, input) => updateConnection(connectionDeps, caller, id, input),
    deleteConnection: (caller, id) => deleteConnection(connectionDeps, caller, id),
    receiveUpload: (caller, request) => receiveUpload(uploadDeps, caller, request),
    deleteUpload: (id) => deleteUpload(uploadDeps, id),
    listRuns: () => listRuns({ store }),
    getRun: (id) => getRun({ store }, id),
    readLog: (id, limit) => readLog({ store }, id, limit),
    async createRun(caller, { source, target: ref, schema }) {
      const { path, name } = await resolveSource(uploadDeps, place(), source)
      const { password: _, ...target } = await resolveTarget(ref, source.kind === 'store' ? 'public' : schema)
      const id = randomUUID()
      const row = {
        id,
        sourceKind: source.kind,
        source: source.kind === 'upload' ? source.id : path,
        sourceName: name,
        target: { ...target },
        connectionId: ref.kind === 'connection' ? ref.id : null,
        state: 'planned' as const,
        phase: 'preflight',
        createdBy: caller.actorId,
        createdAt: now(),
      }
      await store.run(insertRun, { row, caller })
      background(driver.plan(id), id)
      return getRun({ store }, id)
    },
    async planRun(id) {
      const { state } = await getRun({ store }, id)
      if (state !== 'planned')
        throw new HoldfastError('CONFLICT', 'Only a run that was not started can be checked again.')
      background(driver.plan(id), id)
    },
    acknowledge: (request) => store.run(acknowledgeChecks, { ...request, now: now() }),
    async startRun(request) {
      await store.run(startRun(deps.useGrant), { ...request, now: now() })
      await driver.begin(request.id)
    },
    async pauseRun(request) {
      await store.run(pauseRun, { ...request, now: now() })
      await driver.follow(request.id)
    },
    async resumeRun(request) {
      await store.run(resumeRun, { ...request, now: now() })
      await driver.follow(request.id)
    },
    async cancelRun(request) {
      await store.run(cancelRun, { ...request, now: now() })
      await driver.follow(request.id)
      const run = await getRun({ store }, request.id)
      if (run.state === 'cancelled') await ended(run, 'cancelled')
    },
    async deleteRun(request) {
      const run = await getRun({ store }, request.id)
      await store.run(deleteRun, { ...request, now: now() })
      if (run.sourceKind === 'upload') await deleteUpload(uploadDeps, run.source)
    },
    switchOver: (request) => switchOver(switchoverDeps, request),
  }
}
