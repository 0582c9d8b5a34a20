import { execFile } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type RedisServer, startRedis } from '@/db/testing/servers'
import { needsRedis } from '@/db/testing/shared'

const run = promisify(execFile)
const root = process.cwd()
const guide = readFileSync(join(root, 'docs', 'cache.md'), 'utf8')

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

const promised = [...guide.matchAll(/^prints (.*)\.$/gm)].map(([, outputs = '']) =>
  [...outputs.matchAll(/`(.*?)`/g)].map(([, output]) => output).join('\n'),
)

it('prints what the guide says, without Redis', async () => {
  expect(await runs('memory')).toBe(promised[1])
})

describe('on Redis', () => {
  needsRedis()
  let server: RedisServer
  beforeAll(async () => {
    server = await startRedis()
  })
  afterAll(async () => {
    await server?.stop()
  })

  it('prints what the guide says', async () => {
    expect(await runs('prices', { REDIS_HOST: server.host, REDIS_PORT: String(server.port) })).toBe(
      promised[0],
    )
  })
})
