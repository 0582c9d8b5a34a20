import type { Store } from '@/db/store'
import { system } from '@/server/audit'
import type { Clock } from '@/server/clock'
import { HoldfastError } from '@/server/errors'
import type { Log } from '@/server/log'
import type { Trace } from '@/server/trace'
import type { Vault } from '@/server/vault'
import { MigrationError } from '../failure'
import { connectionTarget } from '../places/connections'
import { allowedFile } from '../places/sources'
import { deleteUpload, readUpload, type UploadDeps, uploadFile } from '../places/uploads'
import { stopCapture } from '../store/capture'
import {
  type PostgresSide,
  prepareStore,
  refuseOccupied,
  removeStore,
  type SqliteSide,
  STAYING,
} from '../store/own-store'
import { placeOf } from '../store/store-choice'
import type { Job, Target } from '../types'
import type { DriveDeps, Task } from './drive'
import type { MigrationNews } from './news'
import type { RejectFiles } from './reject-file'
import type { Run } from './run'
import { noteMadeStore } from './run-units'
import { getRun, readKept } from './runs'

export interface MigrationDeps<P extends PostgresSide, S extends SqliteSide> {
  store: Store
  vault: Vault
  clock: Clock
  log: Log
  trace?: Trace | undefined
  publish(news: MigrationNews): void
  openPostgres(target: Target): P
  /** Opens a store's file for this process alone. Throws when another one serves its folder. */
  openSqlite(file: string): S
  database(): P | S
  /** The process stands on this database from now on. */
  adopt(database: P | S): void
  /** Names of the other consoles that serve the store. */
  others(): Promise<string[]>
}

export interface MigrationConfig {
  dataDir: string
  sourceDirs: string[]
  uploadMax: number
  /** Bundle of the worker process. */
  workerFile: string
  migrationsFolder: string
  /** The store's own file, where the store is on SQLite. */
  storeFile: string | null
  /** How long after a switchover the console may be switched back, milliseconds; 0: never. */
  switchBackMs: number
  /** The server that the environment names. */
  envTarget: Target | null
  /** What the certificate of every target is verified by: the environment's authority, or the system's. */
  authority: Pick<Target, 'ca'>
}

/** Where a run writes to, as a client names it. */
export type TargetRef = { kind: 'environment' } | { kind: 'connection'; id: string }

/** What a worker is given for a run, and what is cleared away when the run has ended. */
export function openJobs<P extends PostgresSide, S extends SqliteSide>(
  deps: MigrationDeps<P, S> & { uploads: UploadDeps; rejects: RejectFiles },
  { sourceDirs, migrationsFolder, envTarget, authority }: MigrationConfig,
) {
  const { store, vault, uploads } = deps

  const resolveTarget = async (ref: TargetRef, schema = 'public'): Promise<Target> => {
    if (ref.kind === 'connection') {
      return { ...(await connectionTarget({ store, vault }, ref.id, schema)), ...authority }
    }
    if (!envTarget) {
      throw new HoldfastError('CONFLICT', {
        message: 'The environment names no PostgreSQL server.',
        remedy: 'Set DB_HOST and the other DB_ variables, or enter a connection.',
      })
    }
    return { ...envTarget, ...authority, schema }
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
      { heals: false },
    )
  }

  /** Looked at anew each time: a link may have been put in the file's place. */
  const fileOf = async ({ sourceKind, source }: Run): Promise<string> => {
    try {
      if (sourceKind === 'upload') return uploadFile(uploads, (await readUpload(uploads, source)).id)
      return sourceKind === 'folder' ? await allowedFile(sourceDirs, source) : source
    } catch (error) {
      if (!(error instanceof HoldfastError)) throw error
      // A file that is not there may come back, as with a disk that is mounted late; an upload doesn't.
      const heals = sourceKind === 'folder' && error.code === 'NOT_FOUND'
      const remedy = heals
        ? 'Put it back: the run then goes on by itself.'
        : (error.remedy ?? 'Start a new run.')
      throw new MigrationError('SOURCE_UNREADABLE', error.message, remedy, { cause: error, heals })
    }
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
    const base = {
      ...{ runId: run.id, source: await fileOf(run), target },
      ...(run.choices && { choices: run.choices }),
      ...((task === 'validate' || task === 'follow') && { rejected: await deps.rejects.all(run.id) }),
    }
    if (run.purpose === 'compare') {
      const exclude = run.sourceKind === 'store' ? { exclude: STAYING } : {}
      return { ...base, mode: 'compare', ...exclude, ...(run.plan && { plan: run.plan }) }
    }
    if (run.sourceKind !== 'store') {
      const kept = task === 'plan' ? await readKept({ store }, run.id) : undefined
      return {
        ...base,
        mode: 'create',
        ...(run.capture && { capture: true }),
        ...(run.plan && { plan: run.plan }),
        ...(kept && { kept }),
      }
    }
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
    // What was only compared can be compared again until the run is deleted.
    if (run.purpose === 'compare' && state === 'completed') return
    if (state === 'cancelled') await deps.rejects.remove(run.id)
    if (run.sourceKind === 'upload') await deleteUpload(uploads, run.source, system)
    if (run.purpose === 'compare') return
    if (run.sourceKind !== 'store' || state !== 'cancelled' || run.startedAt === null) return
    await ownSide().alone(stopCapture)
    const { target } = await getRun({ store }, run.id)
    if (target.madeStore) {
      const full = await targetOf(run)
      await withTarget(full, (side) => removeStore(side, full))
    }
  }

  return { resolveTarget, targetOf, fileOf, job, ended }
}
