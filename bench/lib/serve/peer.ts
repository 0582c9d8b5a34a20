import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { freePort } from '@/e2e/server'

export interface Peer {
  pid: number
  url: string
  stop(): Promise<void>
}

/**
 * What a bare Next does: the same Next, as a custom server as well, in an app of nothing but route handlers, each of
 * which answers one JSON value and checks nothing. `bodies` are those values by path. Built below the project, where
 * Next is found.
 */
export async function startPeer(root: string, bodies: Record<string, unknown>): Promise<Peer> {
  const folder = join(root, '.cache', `bench-serve-${process.pid}`)
  try {
    writeApp(folder, root, bodies)
    await build(folder, createRequire(join(root, 'package.json')).resolve('next/dist/bin/next'))
    const port = await freePort()
    const child = spawn(process.execPath, ['server.mjs'], {
      cwd: folder,
      stdio: ['ignore', 'pipe', 'inherit'],
      env: { PATH: process.env.PATH, NODE_ENV: 'production', PORT: String(port) },
    })
    const ended = once(child, 'exit')
    await Promise.race([
      once(child.stdout, 'data'),
      ended.then(() => {
        throw new Error('The peer ended.')
      }),
    ])
    return {
      pid: child.pid as number,
      url: `http://127.0.0.1:${port}`,
      async stop() {
        child.kill()
        await ended
        rmSync(folder, { recursive: true, force: true })
      },
    }
  } catch (error) {
    rmSync(folder, { recursive: true, force: true })
    throw error
  }
}

/** In a session of its own: Next's build sets up the terminal, for which a group in the background is stopped. */
async function build(folder: string, next: string): Promise<void> {
  const child = spawn(process.execPath, [next, 'build'], {
    cwd: folder,
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { PATH: process.env.PATH, NODE_ENV: 'production', NEXT_TELEMETRY_DISABLED: '1' },
  })
  let said = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (data) => {
      said += data
    })
  }
  const [code] = await once(child, 'close')
  if (code !== 0) throw new Error(`The peer did not build:\n${said}`)
}

function writeApp(folder: string, root: string, bodies: Record<string, unknown>): void {
  const write = (path: string, text: string) => {
    mkdirSync(join(folder, path, '..'), { recursive: true })
    writeFileSync(join(folder, path), text)
  }
  write('package.json', JSON.stringify({ name: 'peer', private: true, type: 'module' }))
  write(
    'next.config.mjs',
    `export default ${JSON.stringify({ turbopack: { root }, outputFileTracingRoot: root, poweredByHeader: false })}\n`,
  )
  write('app/layout.jsx', 'export default ({ children }) => <html lang="en"><body>{children}</body></html>\n')
  for (const [path, body] of Object.entries(bodies)) {
    write(`app${path}/body.json`, JSON.stringify(body))
    write(
      `app${path}/route.js`,
      "import body from './body.json'\nexport const dynamic = 'force-dynamic'\nexport const GET = () => Response.json(body)\n",
    )
  }
  write(
    'server.mjs',
    `import { createServer } from 'node:http'
import next from 'next'
const app = next({ dev: false, dir: import.meta.dirname, quiet: true })
await app.prepare()
const handle = app.getRequestHandler()
createServer((request, response) => handle(request, response)).listen(Number(process.env.PORT), '127.0.0.1', () =>
  console.log('ready'),
)
`,
  )
}
