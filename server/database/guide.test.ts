import { execFile } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { type PostgresServer, type ReplicaServer, startPostgres, startReplica } from '@/db/testing/servers'
import { needsPostgres } from '@/db/testing/shared'

const run = promisify(execFile)
const root = process.cwd()
const guide = readFileSync(join(root, 'docs', 'database.md'), 'utf8')

/** Runs a code block of the guide, as it stands there but for where the module is, in a folder of its own. */
async function runs(name: string, env: Record<string, string> = {}): Promise<string> {
  const [, code = ''] = new RegExp(`\`\`\`js ${name}\\n([\\s\\S]*?)\`\`\``).exec(guide) ?? []
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-guide-'))
  try {
    writeFileSync(join(folder, 'main.mjs'), code.replace('./dist/', pathToFileURL(join(root, 'dist/')).href))
    const { stdout } = await run(process.execPath, ['main.mjs'], {
      cwd: folder,
      env: { PATH: process.env.PATH ?? '', ...env } as unknown as NodeJS.ProcessEnv,
      timeout: 60_000,
    })
    return stdout.trim()
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

const promised = [...guide.matchAll(/^prints `(.*?)`/gm)].map(([, output]) => output)

needsPostgres()
let primary: PostgresServer
let replica: ReplicaServer
beforeAll(async () => {
  primary = await startPostgres()
  replica = await startReplica(primary)
})
afterAll(async () => {
  await replica?.stop()
  await primary?.stop()
})

it('prints what the guide says, on a primary with a replica', async () => {
  const output = await runs('notes', {
    ...{ DB_HOST: primary.host, DB_PORT: String(primary.port), DB_NAME: primary.database },
    ...{ DB_USER: primary.user, DB_PASSWORD: primary.password },
    ...{ DB_READ_HOST: replica.host, DB_READ_PORT: String(replica.port) },
  })
  expect(output).toBe(promised[0])
})

it('prints what the guide says, on SQLite', async () => {
  expect(await runs('sqlite')).toBe(promised[1])
})
