import { type ChildProcess, fork } from 'node:child_process'
import { copyFileSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import type { PostgresServer } from '@/db/testing/servers'
import type { Job, RunEnd, RunEvent } from '@/server/migration'
import { seeded } from '../seeded'
import { compareSides, type Difference } from './migrate-compare'
import type { DriverNews, Role } from './migrate-roles'
import { makeSource, randomShape } from './migrate-source'

const FAULTS = ['worker', 'driver', 'sessions', 'postmaster'] as const
type Fault = (typeof FAULTS)[number]

/** No round takes longer after its last fault, unless it is stuck. */
const STUCK_MS = 120_000

export interface Outcome extends Difference {
  faults: Fault[]
  /** The postmaster was killed while rows were loaded. */
  killedInLoad: boolean
  stuck: boolean
  /** How it ended when it was not completed with both sides equal. */
  wrong?: string
  milliseconds: number
}

export interface Scene {
  server: PostgresServer
  /** This command's own bundle, which serves the parts of a round too, and the worker's. */
  self: string
  worker: string
}

/** One run from a new file into a new database, with faults on the way. `inLoad`: the postmaster dies in the load. */
export async function playRound(scene: Scene, seed: number, inLoad: boolean): Promise<Outcome> {
  const started = performance.now()
  const random = seeded(seed)
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-chaos-migrate-'))
  const file = join(folder, 'source.db')
  const copy = join(folder, 'copy.db')
  const shape = randomShape(random)
  makeSource(file, shape, random)
  copyFileSync(file, copy)
  const { database, url } = await scene.server.createDatabase()
  const { host, port, user, password } = scene.server
  const target = { host, port, user, password, database, schema: 'public' }
  const job: Job = { runId: `chaos-${seed}`, source: file, target, mode: 'create', workers: 2 }
  const writer =
    random() < 0.6 ? await startWriter(scene, { file, shape, seed, pauseMs: 2 + random() * 20 }) : null
  const run = followRun(scene, job, join(folder, 'kept.json'))
  const faults: Fault[] = []
  try {
    const killedInLoad = inLoad && (await killInLoad(scene, run, random, faults))
    for (let many = Math.floor(random() * 3) + Number(!inLoad); many > 0 && !run.ended; many--) {
      await Promise.race([pause(random() * 1_500), run.end])
      const fault = FAULTS[Math.floor(random() * 3)] as Fault
      if (run.ended) break
      faults.push(fault)
      await strike(scene, run, fault, random)
    }
    const end = await Promise.race([run.end, pause(STUCK_MS, null, { ref: false })])
    await run.stop()
    await ended(writer)
    const milliseconds = () => performance.now() - started
    const stuckOr = { faults, killedInLoad, stuck: end === null }
    if (end?.state !== 'done' || !end.report.validation.ok) {
      const wrong = end ? JSON.stringify(end.state === 'failed' ? end.failure : end.state) : 'no end'
      return {
        ...stuckOr,
        wrong,
        lost: Number(end !== null),
        doubled: 0,
        rows: 0,
        rejected: 0,
        writes: 0,
        milliseconds: milliseconds(),
      }
    }
    const found = await compareSides({ copy, shape, seed, url })
    // A rejected row that nobody was told of is a lost one.
    found.lost += Math.abs(found.rejected - end.report.rejected)
    return { ...stuckOr, ...found, milliseconds: milliseconds() }
  } finally {
    await run.stop()
    await ended(writer)
    await scene.server.query(`DROP DATABASE IF EXISTS "${database}" WITH (FORCE)`)
    rmSync(folder, { recursive: true, force: true })
  }
}

/** A run that is driven by one process after the other. */
interface Followed {
  readonly end: Promise<RunEnd>
  readonly ended: boolean
  /** Resolves at the next event that is asked for, or at the end. */
  until(wanted: (event: RunEvent) => boolean): Promise<boolean>
  readonly phase: string
  killWorker(): void
  /** Kills the process that drives the run, and starts another one. */
  replaceDriver(): Promise<void>
  stop(): Promise<void>
}

function followRun(scene: Scene, job: Job, kept: string): Followed {
  let worker = 0
  let phase = ''
  let over = false
  let finish = (_: RunEnd) => {}
  const end = new Promise<RunEnd>((resolve) => {
    finish = resolve
  })
  const waiting = new Set<(event: RunEvent) => void>()

  function start(again: boolean): ChildProcess {
    const child = startPart(scene, { role: 'driver', job, worker: scene.worker, kept, again })
    child.on('message', (news: DriverNews) => {
      if (child !== driver) return
      if ('end' in news) {
        over = true
        finish(news.end)
        return
      }
      worker = news.pid
      if (news.event.type === 'phase' && news.event.state === 'started') phase = news.event.phase
      for (const look of waiting) look(news.event)
    })
    return child
  }

  let driver: ChildProcess | undefined
  driver = start(false)
  return {
    end,
    get ended() {
      return over
    },
    get phase() {
      return phase
    },
    async until(wanted) {
      let look = (_: RunEvent) => {}
      const found = new Promise<true>((resolve) => {
        look = (event) => wanted(event) && resolve(true)
      })
      waiting.add(look)
      const came = await Promise.race([found, end.then(() => false)])
      waiting.delete(look)
      return came
    },
    killWorker() {
      if (worker > 0) kill(worker)
    },
    async replaceDriver() {
      const old = driver
      driver = undefined
      await ended(old)
      driver = start(true)
    },
    async stop() {
      await ended(driver)
    },
  }
}

/** Kills the postmaster some time after the first row was read. Answers whether rows were still loaded then. */
async function killInLoad(
  scene: Scene,
  run: Followed,
  random: () => number,
  faults: Fault[],
): Promise<boolean> {
  const loading = (event: RunEvent) =>
    event.type === 'phase' && event.phase === 'transfer' && event.state === 'started'
  if (!(await run.until(loading))) return false
  await pause(random() * 100)
  const inLoad = run.phase === 'transfer'
  faults.push('postmaster')
  await strike(scene, run, 'postmaster', random)
  return inLoad
}

async function strike({ server }: Scene, run: Followed, fault: Fault, random: () => number): Promise<void> {
  if (fault === 'worker') run.killWorker()
  else if (fault === 'driver') await run.replaceDriver()
  else if (fault === 'sessions') {
    const share = random()
    await server.query(
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE 'holdfast migration%' AND random() < $1`,
      [share],
    )
  } else {
    await server.kill9()
    await pause(random() * 500)
    await server.start()
  }
}

async function startWriter(
  scene: Scene,
  part: Omit<Extract<Role, { role: 'writer' }>, 'role'>,
): Promise<ChildProcess> {
  const child = startPart(scene, { role: 'writer', ...part })
  await new Promise((resolve) => child.once('message', resolve))
  return child
}

function startPart({ self }: Scene, part: Role): ChildProcess {
  const child = fork(self, ['--part'], { execArgv: [], serialization: 'advanced' })
  child.send(part)
  return child
}

/** Kills a process at once, and resolves when it has gone. */
async function ended(child: ChildProcess | null | undefined): Promise<void> {
  if (!child || child.exitCode !== null || child.signalCode !== null) return
  const gone = new Promise((resolve) => child.once('exit', resolve))
  child.kill('SIGKILL')
  await gone
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch {
    // It has ended by itself.
  }
}
