import { execFile, execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import BetterSqlite3 from 'better-sqlite3'
import { beforeEach, expect, it, vi } from 'vitest'
import { admin } from '../admin'
import { program, setUpByProgram } from '../program'
import { startConsole } from '../server'
import { askFrom } from '../source'

vi.setConfig({ testTimeout: 180_000, hookTimeout: 120_000 })

beforeEach((context) => {
  try {
    execFileSync('hydra', ['-h'], { stdio: 'ignore' })
  } catch (error) {
    const missing = (error as { code?: string }).code === 'ENOENT'
    context.skip(missing, 'hydra is not installed: apt-get install hydra')
  }
})

it('hydra finds no account, reaches the hash no more often than the limits allow, and is blocked', async () => {
  const console = await startConsole({ env: { BLOCK_AFTER: '20/10m' } })
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-hydra-'))
  try {
    await setUpByProgram(console)
    const words = Array.from({ length: 400 }, (_, index) => `a rather long guess ${index}`)
    // Right, but too late to be tried: by then the address is blocked.
    writeFileSync(join(folder, 'words'), [...words, admin.password].join('\n'))
    const form = `/api/auth/login:{"email"\\:"^USER^","password"\\:"^PASS^"}:H=Content-Type\\: application/json:S=accessToken`
    const { stdout } = await promisify(execFile)(
      'hydra',
      [
        ...['-l', admin.email, '-P', 'words', '-t', '8', '-W', '0', '-I', '-s', String(console.port)],
        ...['127.0.0.1', 'http-post-form', form],
      ],
      { cwd: folder, timeout: 120_000 },
    ).catch((error: { stdout?: string }) => ({ stdout: error.stdout ?? '' }))
    expect(stdout).toMatch(/Hydra v\d/)
    expect(stdout).not.toMatch(/login: \S+ +password:|[1-9]\d* valid password/)

    const store = new BetterSqlite3(join(console.dataDir, 'holdfast.db'), { readonly: true })
    const count = (event: string) =>
      (
        store.prepare('select count(*) as rows from audit_events where event = ?').get(event) as {
          rows: number
        }
      ).rows
    const seen = { looked: count('authn_login_fail'), blocked: count('excess_address_blocked') }
    store.close()
    expect(seen.looked).toBeGreaterThan(0)
    expect(seen.looked).toBeLessThanOrEqual(5)
    expect(seen.blocked).toBe(1)
    expect((await program(console).post('/api/auth/login', {})).body.code).toBe('BLOCKED')
    expect((await askFrom(console, '127.0.0.2', '/sign-in')).status).toBe(200)
  } finally {
    rmSync(folder, { recursive: true, force: true })
    await console.stop()
  }
})
