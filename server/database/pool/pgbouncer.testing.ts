import { execFileSync } from 'node:child_process'
import { chownSync, existsSync, writeFileSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { Client } from 'pg'
import {
  freePort,
  makeFolder,
  removeFolder,
  serverIdentity,
  spawnServer,
  stopServer,
  waitUntil,
} from '@/db/testing/processes'

export const pgbouncerMissing = 'PgBouncer is not installed: apt-get install pgbouncer'

/** The binary on the path or where Debian puts it. */
export function findPgBouncer(path: string): string | undefined {
  const folders = [...path.split(delimiter), '/usr/sbin']
  return folders.map((folder) => join(folder, 'pgbouncer')).find((file) => existsSync(file))
}

export function versionOf(binary: string): string {
  return /PgBouncer (\S+)/.exec(execFileSync(binary, ['--version'], { encoding: 'utf8' }))?.[1] ?? ''
}

/** Starts PgBouncer in transaction mode before a server, with so many connections to it. */
export async function startPgBouncer(
  binary: string,
  server: { host: string; port: number; user: string; password: string; database: string },
  size: number,
): Promise<{ host: string; port: number; stop(): Promise<void> }> {
  const identity = serverIdentity()
  const folder = makeFolder('pgbouncer', identity)
  const port = await freePort()
  const write = (name: string, content: string) => {
    writeFileSync(join(folder, name), content, { mode: 0o600 })
    if (identity.uid !== undefined && identity.gid !== undefined) {
      chownSync(join(folder, name), identity.uid, identity.gid)
    }
  }
  write('users.txt', `"${server.user}" "${server.password}"\n`)
  write(
    'pgbouncer.ini',
    `[databases]
* = host=${server.host} port=${server.port}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = ${port}
unix_socket_dir =
auth_type = plain
auth_file = ${join(folder, 'users.txt')}
pool_mode = transaction
default_pool_size = ${size}
server_login_retry = 0
`,
  )
  const running = spawnServer(binary, [join(folder, 'pgbouncer.ini')], {
    folder,
    name: 'pgbouncer',
    identity,
  })
  const { user, password, database } = server
  await waitUntil(
    'PgBouncer',
    async () => {
      const client = new Client({ host: '127.0.0.1', port, user, password, database })
      client.on('error', () => undefined)
      await client.connect()
      await client.end()
      return true
    },
    running,
  )
  return {
    host: '127.0.0.1',
    port,
    stop: async () => {
      await stopServer(running, 'SIGINT')
      removeFolder(folder)
    },
  }
}
