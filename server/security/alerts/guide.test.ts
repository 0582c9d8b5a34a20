import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect, it } from 'vitest'
import { freePort } from '@/db/testing/processes'
import { until } from '@/db/testing/receivers'
import type { Carried } from './types'
import { signed } from './webhook'

const secrets = {
  secret: `whsec_${Buffer.alloc(32, 1).toString('base64')}`,
  previous: null,
  previousUntil: null,
}
const stranger = { ...secrets, secret: `whsec_${Buffer.alloc(32, 2).toString('base64')}` }
const undo: (() => unknown)[] = []
afterEach(async () => {
  for (const step of undo.splice(0).reverse()) await step()
})

/** The receiver of docs/security.md, as it stands there. */
async function startExample() {
  const guide = readFileSync('docs/security.md', 'utf8')
  const [, code = ''] = /```js receiver\n([\s\S]*?)```/.exec(guide) ?? []
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-receiver-'))
  undo.push(() => rmSync(folder, { recursive: true, force: true }))
  writeFileSync(join(folder, 'receiver.mjs'), code)
  const port = await freePort()
  const env = { PATH: process.env.PATH, PORT: String(port), HOLDFAST_WEBHOOK_SECRET: secrets.secret }
  const child: ChildProcess = spawn(process.execPath, ['receiver.mjs'], {
    cwd: folder,
    env: env as unknown as NodeJS.ProcessEnv,
  })
  undo.push(async () => {
    child.kill()
    await once(child, 'exit')
  })
  let printed = ''
  child.stdout?.on('data', (data) => {
    printed += data
  })
  await until(() => printed.includes('listening'), 'The example')
  const send = async ({ headers, body }: ReturnType<typeof signed>) =>
    (await fetch(`http://127.0.0.1:${port}/`, { method: 'POST', headers, body })).status
  return { send, printed: () => printed.split('\n').slice(1, -1) }
}

it('has a receiver that takes each message once, and nothing that was forged, aged or signed by another', async () => {
  const { send, printed } = await startExample()
  const url = 'https://holdfast.example.org'
  const alert: Carried = {
    ...{ id: 'a', key: 'k', findingId: 'f', title: 'Straße ✓', body: 'Why' },
    ...{ severity: 'high', createdAt: 1 },
  }
  const message = { id: 'm-1', alerts: [alert], more: 0 }
  const now = Date.now()
  const right = signed(message, secrets, { now, url })
  expect(await send(right)).toBe(204)
  expect(await send(signed(message, secrets, { now: now + 5_000, url }))).toBe(204)
  expect(printed()).toEqual(['alert.raised high Straße ✓'])

  expect(await send(signed(message, stranger, { now, url }))).toBe(401)
  expect(await send({ ...right, body: right.body.replace('high', 'low') })).toBe(401)
  expect(await send({ ...right, headers: { ...right.headers, 'webhook-id': 'm-2' } })).toBe(401)
  expect(await send(signed(message, secrets, { now: now - 360_000, url }))).toBe(401)
  expect(await send({ ...right, headers: { 'content-type': 'application/json' } })).toBe(401)

  // While it is being replaced, the new secret and the one before sign together.
  const rotated = { secret: stranger.secret, previous: secrets.secret, previousUntil: now + 1_000 }
  const next = { ...message, id: 'm-3' }
  expect(await send(signed(next, rotated, { now, url }))).toBe(204)
  expect(await send(signed(next, { ...rotated, previousUntil: now - 1 }, { now, url }))).toBe(401)
  expect(printed()).toHaveLength(2)
})
