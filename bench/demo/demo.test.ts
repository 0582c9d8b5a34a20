import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { beforeEach, describe, expect, it, vi } from 'vitest'
import { waitUntil } from '@/db/testing/processes'
import { openPerson } from './people'

vi.setConfig({ testTimeout: 600_000 })

/** What the pages read, and whether it is something to look at. */
// biome-ignore lint/suspicious/noExplicitAny: each line names what it expects of its answer
const PAGES: Record<string, (answer: any) => boolean> = {
  'database/stats': ({ queries }) => queries > 0,
  'database/sessions': ({ sessions }) => sessions.length > 3,
  'database/statements': ({ statements }) => statements.length > 10,
  'database/tables': (tables) => JSON.stringify(tables).includes('orders'),
  'database/topology': ({ nodes }) => nodes.length === 2,
  'cache/nodes': ({ nodes }) => nodes.length === 6,
  'cache/keys?scope=all&prefix=shop:': (keys) => JSON.stringify(keys).includes('shop:'),
  'cache/slow-log': ({ commands }) => commands.length > 0,
  'cache/outbound': ({ origins }) => origins.length === 1,
  'security/events?limit=50': ({ events }) => events.length === 50,
  'security/findings': ({ findings }) => findings.length >= 4,
  'security/alerts/list': (page) => JSON.stringify(page).includes('open'),
  'security/users': (users) => users.length === 3,
  'migration/status': (runs) => JSON.stringify(runs).includes('"completed"'),
}

describe('npm run demo', () => {
  beforeEach((context) => context.skip(!process.env.HOLDFAST_ALL, 'it takes minutes: HOLDFAST_ALL=1'))

  it('fills every page, and leaves nothing behind', async () => {
    const demo = spawn(process.execPath, ['dist/demo/main.mjs'], { stdio: ['pipe', 'pipe', 'inherit'] })
    const exited = once(demo, 'exit')
    let printed = ''
    demo.stdout.on('data', (data) => {
      printed += data
    })
    const told = (pattern: RegExp) => pattern.exec(printed)?.[1] ?? ''
    try {
      await waitUntil('The demo', async () => /Ctrl-C stops/.test(printed), undefined, 300_000)
      const url = told(/^Sign in at +(\S+)$/m)
      demo.stdin.write('\n')
      await waitUntil('A code', async () => /^Code: \d{6}$/m.test(printed))
      const code = () => told(/^Code: (\d{6})$/m)
      const admin = openPerson({ url }, { email: told(/^E-mail +(\S+)$/m), address: '192.0.2.99', code })
      await admin.signIn()
      for (const [path, filled] of Object.entries(PAGES)) {
        await waitUntil(path, async () => filled(await admin.read(path)), undefined, 120_000)
      }
    } finally {
      demo.kill('SIGINT')
    }
    expect((await exited)[0]).toBe(0)
    expect(existsSync(`/proc/${demo.pid}`)).toBe(false)
  })
})
