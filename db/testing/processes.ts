import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, chownSync, closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'

/** Whom servers run as that refuse to run as root: uid and gid, or {} for the user who starts them. */
export type Identity = { uid?: number; gid?: number }

/** A server process in its own temporary folder. */
export type Spawned = { process: ChildProcess; pid: number; exited: Promise<void>; logFile: string }

/**
 * Ends everything when this process ends, however it ends: the shell reads what lives from a pipe, and the
 * pipe's end means that we are gone, by SIGKILL too.
 */
const REAPER = `
pids=
while read -r verb value; do
  case $verb in
    +) pids="$pids $value" ;;
    -) left=; for pid in $pids; do [ "$pid" = "$value" ] || left="$left $pid"; done; pids=$left ;;
    dir) set -- "$@" "$value" ;;
  esac
done
[ -n "$pids" ] && { kill -CONT $pids; kill -INT $pids; }
tries=0
while [ -n "$pids" ] && kill -0 $pids && [ $tries -lt 30 ]; do sleep 0.1; tries=$((tries + 1)); done
[ -n "$pids" ] && kill -KILL $pids
[ $# -gt 0 ] && { rm -rf -- "$@" || { sleep 1; rm -rf -- "$@"; }; }
`

let reaper: ChildProcess | undefined

function tellReaper(line: string): void {
  if (!reaper) {
    // Detached: Ctrl-C in the terminal must not end it before us.
    reaper = spawn('/bin/sh', ['-c', REAPER, 'reaper'], {
      stdio: ['pipe', 'ignore', 'ignore'],
      detached: true,
    })
    reaper.unref()
    reaper.stdin?.on('error', () => undefined)
    ;(reaper.stdin as unknown as { unref?: () => void } | null)?.unref?.()
  }
  reaper.stdin?.write(`${line}\n`)
}

/** Makes a temporary folder that `identity` owns; removed by `removeFolder`, or when this process ends. */
export function makeFolder(prefix: string, identity: Identity = {}): string {
  const folder = mkdtempSync(join(tmpdir(), `holdfast-${prefix}-`))
  tellReaper(`dir ${folder}`)
  if (identity.uid !== undefined && identity.gid !== undefined) chownSync(folder, identity.uid, identity.gid)
  chmodSync(folder, 0o700)
  return folder
}

export function removeFolder(folder: string): void {
  rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 50 })
}

/** The unprivileged user that root starts servers as: postgres, else nobody. */
export function serverIdentity(): Identity {
  if (process.getuid?.() !== 0) return {}
  const users = readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .map((line) => line.split(':'))
  const user = users.find(([name]) => name === 'postgres') ?? users.find(([name]) => name === 'nobody')
  if (!user)
    throw new Error('PostgreSQL does not run as root, and this machine has no user postgres or nobody.')
  return { uid: Number(user[2]), gid: Number(user[3]) }
}

/** Starts a server with its output in `<folder>/<name>.log`. */
export function spawnServer(
  command: string,
  args: readonly string[],
  options: { folder: string; name: string; identity?: Identity },
): Spawned {
  const logFile = join(options.folder, `${options.name}.log`)
  const log = openSync(logFile, 'a')
  const child = spawn(command, args, {
    cwd: options.folder,
    stdio: ['ignore', log, log],
    detached: true,
    ...options.identity,
  })
  closeSync(log)
  if (child.pid === undefined) {
    child.on('error', () => undefined)
    throw new Error(`${command} could not be started.`)
  }
  const pid = child.pid
  tellReaper(`+ ${pid}`)
  const exited = once(child, 'exit').then(() => tellReaper(`- ${pid}`))
  child.unref()
  return { process: child, pid, exited, logFile }
}

/** Runs a command to its end; throws its output when it fails. */
export async function runCommand(
  command: string,
  args: readonly string[],
  options: { cwd: string; identity?: Identity },
): Promise<void> {
  const child = spawn(command, args, {
    cwd: options.cwd,
    stdio: ['ignore', 'pipe', 'pipe'],
    ...options.identity,
  })
  let output = ''
  child.stdout.on('data', (data) => (output += data))
  child.stderr.on('data', (data) => (output += data))
  const [code] = await once(child, 'close')
  if (code !== 0) throw new Error(`${command} failed with ${code}: ${output.trim()}`)
}

/** Sends a signal to a server that still runs. */
export function signal(server: Spawned, name: NodeJS.Signals): void {
  if (server.process.exitCode === null && server.process.signalCode === null) server.process.kill(name)
}

/** Asks a server to stop, and makes it after `patienceMs`; resolves when it has gone. */
export async function stopServer(server: Spawned, name: NodeJS.Signals, patienceMs = 10_000): Promise<void> {
  signal(server, 'SIGCONT')
  signal(server, name)
  const timer = setTimeout(() => signal(server, 'SIGKILL'), patienceMs)
  await server.exited
  clearTimeout(timer)
}

/** Ports of 127.0.0.1 that were free a moment ago, all different. */
export async function freePorts(count: number): Promise<number[]> {
  const servers = await Promise.all(
    Array.from({ length: count }, async () => {
      const server = createServer().listen(0, '127.0.0.1')
      await once(server, 'listening')
      return server
    }),
  )
  const ports = servers.map((server) => (server.address() as { port: number }).port)
  await Promise.all(servers.map((server) => once(server.close(), 'close')))
  return ports
}

export async function freePort(): Promise<number> {
  const [port] = await freePorts(1)
  return port as number
}

/** Polls `ready` until it is true; throws the server's last lines when it exits first or takes too long. */
export async function waitUntil(
  what: string,
  ready: () => Promise<boolean>,
  server?: Spawned,
  limitMs = 30_000,
): Promise<void> {
  const deadline = Date.now() + limitMs
  let last: unknown
  for (;;) {
    try {
      if (await ready()) return
    } catch (error) {
      last = error
    }
    const gone = server && (server.process.exitCode !== null || server.process.signalCode !== null)
    if (gone || Date.now() > deadline) {
      const log = server ? `\n${readFileSync(server.logFile, 'utf8').slice(-1500)}` : ''
      const reason = last instanceof Error ? ` (${last.message})` : ''
      throw new Error(
        `${what} ${gone ? 'ended at its start' : `was not ready in ${limitMs} ms`}${reason}${log}`,
      )
    }
    await delay(20)
  }
}
