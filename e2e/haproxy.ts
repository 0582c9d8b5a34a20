import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { makeFolder, removeFolder, spawnServer, stopServer, waitUntil } from '@/db/testing/processes'

const binary = '/usr/sbin/haproxy'
export const hasHaproxy = () => existsSync(binary)
export const haproxyMissing = 'haproxy is not installed: apt-get install haproxy'

/**
 * Starts haproxy by ops/haproxy.cfg: only where it listens and the consoles' ports are filled in, and TLS is left out.
 * @param port where it shall listen; consoles are told of it before it runs.
 */
export async function startHaproxy(port: number, consoles: readonly number[]) {
  if (!hasHaproxy()) throw new Error(haproxyMissing)
  const folder = makeFolder('haproxy')
  const file = join(folder, 'haproxy.cfg')
  writeFileSync(file, filledIn(readFileSync('ops/haproxy.cfg', 'utf8'), port, consoles))
  const checked = spawnSync(binary, ['-c', '-f', file], { encoding: 'utf8' })
  if (checked.status !== 0) throw new Error(`haproxy refuses ops/haproxy.cfg: ${checked.stderr}`)
  const server = spawnServer(binary, ['-db', '-f', file], { folder, name: 'haproxy' })
  const url = `http://localhost:${port}`
  const answers = async () => (await fetch(`${url}/api/health/live`)).status === 200
  await waitUntil('haproxy', answers, server)
  return {
    url,
    async stop() {
      await stopServer(server, 'SIGTERM')
      removeFolder(folder)
    },
  }
}

function filledIn(config: string, port: number, consoles: readonly number[]): string {
  const servers = consoles.map((at, index) => `  server console${index} 127.0.0.1:${at}\n`)
  const others = config.replace(/^ {2}server .*\n/gm, '')
  return `${others.replace(/^ {2}bind .*$/m, `  bind 127.0.0.1:${port}`)}${servers.join('')}`
}
