import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { admin } from './admin'
import { keepOutput, keepTold, plant, plantEnvironment } from './output'

export type ConsoleOptions = {
  /** Variables over the ones that make it stand alone: PORT, HOST, HOLDFAST_URL and HOLDFAST_DATA_DIR. */
  env?: Record<string, string>
  /** A data folder to serve again; it is kept at the end then. */
  dataDir?: string
  /** A port to serve on again. */
  port?: number
  /** The folder of the build: the project's, or a standalone one. */
  root?: string
}

export type RunningConsole = {
  /** Its origin, e.g. http://localhost:40123. */
  url: string
  port: number
  /** The one-time link that makes the first admin; null once there is one. */
  setUpLink: string | null
  dataDir: string
  pid: number
  /** Everything it has printed so far. */
  output(): string
  /** SIGTERM; resolves to its exit code. Removes the data folder unless it was given or `keep` is set. */
  stop(options?: { keep?: boolean }): Promise<number | null>
  /** SIGKILL; the data folder stays until stop(). */
  kill9(): Promise<void>
}

const project = join(import.meta.dirname ?? __dirname, '..')

/** Starts the built console on a free port with a data folder of its own; throws what it printed if it ends. */
export async function startConsole(options: ConsoleOptions = {}): Promise<RunningConsole> {
  const port = options.port ?? (await freePort())
  const dataDir = options.dataDir ?? mkdtempSync(join(tmpdir(), 'holdfast-console-'))
  const url = options.env?.HOLDFAST_URL ?? `http://localhost:${port}`
  const child = spawnConsole({ ...options, port, dataDir })
  const printed = collect(child, `console-${child.pid}`)
  plant(admin.password)
  plantEnvironment(options.env ?? {})
  const exited = once(child, 'exit').then(([code]) => code as number | null)
  // A test run that is interrupted takes its console along.
  const onExit = () => child.kill('SIGKILL')
  process.once('exit', onExit)
  void exited.then(() => process.off('exit', onExit))

  await printed.until(/^Holdfast is ready at .*$/m, exited)
  return {
    url,
    port,
    dataDir,
    pid: child.pid as number,
    setUpLink: /^Create the first admin .*: (\S+)$/m.exec(printed.text())?.[1] ?? null,
    output: printed.text,
    async stop({ keep = options.dataDir !== undefined } = {}) {
      if (child.exitCode === null && child.signalCode === null) child.kill('SIGTERM')
      const code = await exited
      keepTold(`console-${child.pid}`, dataDir)
      if (!keep) rmSync(dataDir, { recursive: true, force: true })
      return code
    },
    async kill9() {
      child.kill('SIGKILL')
      await exited
    },
  }
}

/** Starts the console where its start must fail; resolves to its exit code and what it printed on standard error. */
export async function failToStart(
  options: ConsoleOptions & { port: number; dataDir: string },
): Promise<{ code: number | null; stderr: string; stdout: string }> {
  const child = spawnConsole(options)
  let stderr = ''
  let stdout = ''
  child.stderr?.on('data', (data) => {
    stderr += data
    keepOutput(`failed-${child.pid}`, data)
  })
  child.stdout?.on('data', (data) => {
    stdout += data
  })
  const [code] = await once(child, 'close')
  return { code: code as number | null, stderr, stdout }
}

function spawnConsole({ env = {}, dataDir, port, root = project }: ConsoleOptions): ChildProcess {
  // Nothing of the environment that runs the tests may configure the console: PATH and HOME are enough.
  const { PATH, HOME } = process.env
  return spawn(process.execPath, [join(root, 'dist', 'main.mjs')], {
    cwd: root,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {
      PATH,
      HOME,
      NODE_ENV: 'production',
      PORT: String(port),
      HOST: '127.0.0.1',
      HOLDFAST_DATA_DIR: dataDir,
      // A developer's own .env must not reach a test's console.
      HOLDFAST_ENV_FILE: '/dev/null',
      HOLDFAST_URL: `http://localhost:${port}`,
      ...env,
    },
  })
}

function collect(child: ChildProcess, name: string) {
  let text = ''
  const waiting = new Set<() => void>()
  const add = (data: Buffer) => {
    text += data.toString()
    keepOutput(name, data)
    for (const check of waiting) check()
  }
  child.stdout?.on('data', add)
  child.stderr?.on('data', add)
  return {
    text: () => text,
    /** Resolves when the output matches; rejects when the process ends first. */
    until: (pattern: RegExp, exited: Promise<number | null>) =>
      new Promise<void>((resolve, reject) => {
        const check = () => {
          if (!pattern.test(text)) return
          waiting.delete(check)
          // The lines of one announcement come in one write, which may arrive in parts.
          setImmediate(resolve)
        }
        waiting.add(check)
        check()
        exited.then((code) => reject(new Error(`The console ended with ${code}:\n${text}`)), reject)
      }),
  }
}

/** A port of 127.0.0.1 that was free a moment ago. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as { port: number }
  server.close()
  await once(server, 'close')
  return port
}
