import { execFile } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { promisify } from 'node:util'
import BetterSqlite3 from 'better-sqlite3'
import { afterEach, expect, it, vi } from 'vitest'
import { bearer, enrolByProgram, program, setUpByProgram } from './program'
import { type RunningConsole, startConsole } from './server'

vi.setConfig({ testTimeout: 300_000 })

const rounds = process.env.HOLDFAST_ALL ? 20 : 3

let console: RunningConsole | undefined
const dataDir = mkdtempSync(join(tmpdir(), 'holdfast-death-'))
afterEach(async () => {
  await console?.stop()
  rmSync(dataDir, { recursive: true, force: true })
})

const env = {
  ...{ TWO_FA_WINDOW: '10', RATE_LIMIT_ADDRESS: 'off', RATE_LIMIT_USER: 'off', BLOCK_AFTER: 'off' },
}

it('killed at any moment under load, a console on SQLite opens clean, has every acknowledged write and no gap', async () => {
  console = await startConsole({ dataDir, env })
  const { port } = console
  const key = await keyOf(console)
  const acknowledged: string[] = []
  let number = 0
  for (let round = 0; round < rounds; round++) {
    const running = console
    let over = false
    const writers = Array.from({ length: 8 }, async () => {
      while (!over) {
        const actor = `w${++number}`
        const events = [{ event: 'authn_login_success', outcome: 'success', actor }]
        const report = { source: 'shop', events }
        const path = '/api/infrastructure/security/events'
        const answer = await program(running)
          .post(path, report, bearer(key))
          .catch(() => null)
        if (answer?.status === 200) acknowledged.push(actor)
      }
    })
    const before = acknowledged.length
    await vi.waitFor(() => expect(acknowledged.length).toBeGreaterThan(before + 30), { timeout: 60_000 })
    await pause(Math.random() * 300)
    await running.kill9()
    over = true
    await Promise.all(writers)
    console = await startConsole({ dataDir, port, env })
  }
  expect(await console.stop()).toBe(0)
  // What is left beside the file after a clean end would be a log that nobody folded in.
  expect(existsSync(join(dataDir, 'holdfast.db-wal'))).toBe(false)
  const store = new BetterSqlite3(join(dataDir, 'holdfast.db'), { readonly: true })
  expect(store.pragma('integrity_check', { simple: true })).toBe('ok')
  const there = new Set(store.prepare('SELECT actor FROM audit_events').pluck().all())
  store.close()
  expect(acknowledged.filter((actor) => !there.has(actor))).toEqual([])
  const { PATH, HOME } = process.env
  const place = {
    NODE_ENV: 'production' as const,
    HOLDFAST_DATA_DIR: dataDir,
    HOLDFAST_ENV_FILE: '/dev/null',
  }
  // It ends with another code than 0, and so rejects, where the chain is broken.
  await promisify(execFile)(process.execPath, ['dist/cli/audit.mjs', 'verify'], {
    env: { PATH, HOME, ...place },
  })
})

/** An API key that may report, made by the first admin. */
async function keyOf(running: RunningConsole): Promise<string> {
  const { accessToken } = await setUpByProgram(running)
  const { app } = await enrolByProgram(running.url, accessToken, 10)
  const { post, call } = program(running)
  const input = { name: 'shop', permissions: ['security:ingest'], days: 1 }
  const proof = { action: 'security.createApiKey', input, code: app.next() }
  const { body } = await post('/api/auth/step-up', proof, bearer(accessToken))
  const headers = { ...bearer(body.tokens.accessToken), 'holdfast-step-up': body.grantId }
  return (await call('security.createApiKey', input, headers)).body.key
}
