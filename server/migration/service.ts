import { randomUUID } from 'node:crypto'
import type { RunPurpose } from '@/db/tables'
import { type Caller, system } from '@/server/audit'
import { HoldfastError } from '@/server/errors'
import {
  type Connection,
  type ConnectionInput,
  createConnection,
  deleteConnection,
  listConnections,
  updateConnection,
} from './places/connections'
import { listSources, resolveSource, type SourceList, type SourceRef } from './places/sources'
import {
  deleteUpload,
  receiveUpload,
  removeStaleUploads,
  type Upload,
  type UploadRequest,
} from './places/uploads'
import { refuseChoices } from './plan/choices'
import { type Download, download } from './report/download'
import { askValidation } from './runs/compare-units'
import { cutOver, leaveSource, recoverCutOver, reopenSource } from './runs/cut-over'
import { Driver } from './runs/driver'
import { type MigrationConfig, type MigrationDeps, openJobs, type TargetRef } from './runs/jobs'
import { openRejectFiles, type RejectPage } from './runs/reject-file'
import { acceptRejects, setRejectLimits } from './runs/reject-units'
import type {
  CutOverReport,
  LogLine,
  Run,
  RunFound,
  RunSummary,
  SwitchBackReport,
  SwitchoverReport,
} from './runs/run'
import {
  acknowledgeChecks,
  cancelRun,
  chooseForRun,
  deleteRun,
  insertRun,
  pauseRun,
  resumeRun,
  startRun,
} from './runs/run-units'
import {
  findRuns,
  getRun,
  listRuns,
  readKept,
  readLog,
  runsInMove,
  unfinishedPlans,
  unfinishedValidations,
} from './runs/runs'
import { fitStorePlan, fitStoreValidation, type PostgresSide, type SqliteSide } from './store/own-store'
import { placeOf } from './store/store-choice'
import { recoverSwitchBack, switchBack } from './store/switch-back'
import { recoverSwitchover, type SwitchoverDeps, switchOver } from './store/switchover'
import { openWindow, tendWindow } from './store/window'
import type { Choices, RejectLimits, Target } from './types'

export interface NewRun {
  source: SourceRef
  target: TargetRef
  schema: string
  /** 'compare' writes nothing: it compares a target that something else has filled. */
  purpose?: RunPurpose
  /** Note writes to the source while the copy goes on, and bring them over; for files of a folder alone. */
  capture?: boolean
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
  /** What the certificate of every target is verified by. */
  authority: Pick<Target, 'ca'>
  /** The target behind a reference, password included: for a connection test in this process. */
  resolveTarget(ref: TargetRef, schema?: string): Promise<Target>
  createConnection(caller: Caller, input: ConnectionInput): Promise<Connection>
  updateConnection(caller: Caller, id: string, input: ConnectionInput): Promise<Connection>
  deleteConnection(caller: Caller, id: string): Promise<void>
  receiveUpload(caller: Caller, request: UploadRequest): Promise<Upload>
  deleteUpload(id: string, caller: Caller): Promise<void>
  listRuns(): Promise<RunSummary[]>
  /** Those whose source's name holds a text, or whose id begins with it. */
  findRuns(text: string, limit: number): Promise<RunFound[]>
  getRun(id: string): Promise<Run>
  readLog(id: string, limit: number): Promise<LogLine[]>
  /** `report.html`, `report.json` or `choices.json` of a run. */
  download(id: string, file: string): Promise<Download>
  /** Makes a run and begins with checks and plan. */
  createRun(caller: Caller, input: NewRun): Promise<Run>
  /** Checks and plans anew. */
  planRun(id: string): Promise<void>
  /** Plans anew by what is chosen. Throws BAD_INPUT for choices that can't be followed. */
  choose(request: Request & { choices: Choices }): Promise<void>
  acknowledge(request: Request & { checks: string[] }): Promise<void>
  startRun(request: PrivilegedRequest): Promise<void>
  pauseRun(request: Request): Promise<void>
  resumeRun(request: Request): Promise<void>
  /** Compares both sides of an ended run again, in the background; its validation is replaced. */
  validateRun(request: Request): Promise<void>
  cancelRun(request: Request): Promise<void>
  deleteRun(request: Request): Promise<void>
  /** Rows that were not stored, as far as they are known; `after` is the `next` of the page before. */
  rejects(request: { id: string; after?: string; limit: number }): Promise<RejectPage>
  /** Takes responsibility for them; `rejected` is how many were seen. */
  acceptRejects(request: Request & { rejected: number }): Promise<void>
  /** Other limits for a run that is not at work. */
  rejectLimits(request: Request & { rejects: RejectLimits }): Promise<void>
  switchOver(request: PrivilegedRequest): Promise<SwitchoverReport>
  /** Moves the application of a foreign source: closes it to writes, brings over, compares, says what to put in. */
  cutOver(request: PrivilegedRequest): Promise<CutOverReport>
  /** Opens the source of a run again that was cut over. */
  reopenSource(request: Request): Promise<void>
  /** Moves the console back to the SQLite file that a run took it from, with every later change. */
  switchBack(request: PrivilegedRequest): Promise<SwitchBackReport>
}

/** Opens the migrations of this console. Nothing runs before `start()`. */
export function openMigration<P extends PostgresSide, S extends SqliteSide>(
  deps: MigrationDeps<P, S>,
  config: MigrationConfig,
): Migration {
  const { store, clock, log, vault, trace } = deps
  const { dataDir, sourceDirs, uploadMax, workerFile, envTarget } = config
  const uploadDeps = { store, clock, dataDir, uploadMax }
  const connectionDeps = { store, clock, vault }
  const rejects = openRejectFiles(dataDir)
  const place = () => ({ sourceDirs, storeFile: store.dialect === 'sqlite' ? config.storeFile : null })

  const { resolveTarget, targetOf, fileOf, job, ended } = openJobs(
    { ...deps, uploads: uploadDeps, rejects },
    config,
  )
  const driver = new Driver({
    ...{ store, clock, log, trace },
    workerFile,
    rejects,
    publish: deps.publish,
    job,
    fitPlan: (run, plan) => (run.sourceKind === 'store' ? fitStorePlan(plan) : plan),
    fitValidation: (run, validation) =>
      run.sourceKind === 'store' ? fitStoreValidation(validation) : validation,
    ended,
  })
  const { migrationsFolder, switchBackMs } = config
  const switchoverDeps: SwitchoverDeps<P, S> = {
    ...deps,
    ...{ dataDir, migrationsFolder, switchBackMs, target: targetOf },
  }
  const cutOverDeps = {
    store,
    clock,
    driver,
    workerFile,
    job: (run: Run) => job(run, 'validate'),
    source: fileOf,
  }
  const keptWindow = openWindow(switchoverDeps)
  const background = (work: Promise<unknown>, run: string) => {
    work.catch((error) => log.error({ run, error }, 'migration run'))
  }
  const now = () => clock.now()

  return {
    uploadMax,
    async start() {
      for (const run of await runsInMove({ store }, 'switchover')) {
        if (run.sourceKind === 'store') await recoverSwitchover(switchoverDeps, run)
        else background(recoverCutOver(cutOverDeps, run), run.id)
      }
      for (const run of await runsInMove({ store }, 'switch_back'))
        await recoverSwitchBack(switchoverDeps, run)
      keptWindow.start()
      await removeStaleUploads(uploadDeps)
      await driver.start()
      for (const id of await unfinishedPlans({ store }, now())) background(driver.plan(id), id)
      for (const id of await unfinishedValidations({ store }, now())) background(driver.validate(id), id)
    },
    async close() {
      await Promise.all([driver.close(), keptWindow.stop()])
    },
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
    authority: config.authority,
    resolveTarget,
    createConnection: (caller, input) => createConnection(connectionDeps, caller, input),
    updateConnection: (caller, id, input) => updateConnection(connectionDeps, caller, id, input),
    deleteConnection: (caller, id) => deleteConnection(connectionDeps, caller, id),
    receiveUpload: (caller, request) => receiveUpload(uploadDeps, caller, request),
    deleteUpload: (id, caller) => deleteUpload(uploadDeps, id, caller),
    listRuns: () => listRuns({ store }),
    findRuns: (text, limit) => findRuns(store, text, limit),
    getRun: (id) => getRun({ store }, id),
    readLog: (id, limit) => readLog({ store }, id, limit),
    download: (id, file) => download({ store, clock, rejects }, id, file),
    async createRun(caller, { source, target: ref, schema, purpose = 'migrate', capture = false }) {
      if (capture && (source.kind !== 'folder' || purpose === 'compare')) {
        throw new HoldfastError('BAD_INPUT', {
          message: 'Only writes to a file of an allowed folder that is migrated can be noted.',
          remedy: 'Leave the noting of writes off.',
        })
      }
      const { path, name } = await resolveSource(uploadDeps, place(), source)
      const {
        password: _,
        ca: __,
        ...target
      } = await resolveTarget(ref, source.kind === 'store' ? 'public' : schema)
      const id = randomUUID()
      const row = {
        id,
        sourceKind: source.kind,
        source: source.kind === 'upload' ? source.id : path,
        sourceName: name,
        purpose,
        capture,
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
    async choose(request) {
      const kept = await readKept({ store }, request.id)
      if (kept) refuseChoices(kept, request.choices)
      await store.run(chooseForRun, { ...request, now: now() })
      background(driver.planAnew(request.id), request.id)
    },
    acknowledge: (request) => store.run(acknowledgeChecks, { ...request, now: now() }),
    async startRun(request) {
      await store.run(startRun, { ...request, now: now() })
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
    async validateRun(request) {
      await store.run(askValidation, { ...request, now: now() })
      background(driver.validate(request.id), request.id)
    },
    async cancelRun(request) {
      await store.run(cancelRun, { ...request, now: now() })
      await driver.follow(request.id)
      const run = await getRun({ store }, request.id)
      if (run.state === 'cancelled') await ended(run, 'cancelled')
    },
    async deleteRun(request) {
      const run = await getRun({ store }, request.id)
      if (run.capture && run.state === 'completed') await leaveSource(cutOverDeps, run)
      await store.run(deleteRun, { ...request, now: now() })
      // Its plan may still be in the making.
      background(driver.release(request.id), request.id)
      await rejects.remove(request.id)
      if (run.sourceKind === 'upload') await deleteUpload(uploadDeps, run.source, system)
      if (run.state === 'switched_over') await tendWindow(switchoverDeps)
    },
    async rejects({ id, after, limit }) {
      await getRun({ store }, id)
      return rejects.page(id, after, limit)
    },
    acceptRejects: (request) => store.run(acceptRejects, { ...request, now: now() }),
    rejectLimits: (request) => store.run(setRejectLimits, { ...request, now: now() }),
    switchOver: (request) => switchOver(switchoverDeps, request),
    cutOver: (request) => cutOver(cutOverDeps, request),
    reopenSource: (request) => reopenSource(cutOverDeps, request),
    switchBack: (request) => switchBack(switchoverDeps, request),
  }
}
