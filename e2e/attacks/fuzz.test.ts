import { copyFileSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { startReceiver } from '@/db/testing/receivers'
import { startRedis } from '@/db/testing/servers'
import { createDatabase, needsPostgres, needsRedis } from '@/db/testing/shared'
import { bearer, program } from '../program'
import { type RunningConsole, startConsole } from '../server'
import { type Document, operationsOf, roles } from './fuzz/document'
import { openKnown } from './fuzz/known'
import { meaningful } from './fuzz/meaningful'
import { openPeople } from './fuzz/people'
import { type Stage, type Team, take } from './fuzz/play'
import { openTally } from './fuzz/tally'
import { turnsOf } from './fuzz/turns'
import { openWire } from './fuzz/wire'

const everything = process.env.HOLDFAST_ALL !== undefined
vi.setConfig({ testTimeout: everything ? 10_800_000 : 300_000, hookTimeout: 180_000 })

const seed = Number(process.env.FUZZ_SEED ?? 1)
/** Rounds of some 2,000 requests follow until it are so many, and each operation was reached so often. */
const most = everything ? 100_000 : 1
const least = everything ? 200 : 1
const trusted = '127.0.0.0/8'
/** So many send at the same time. */
const parallel = everything ? 6 : 4

/** What the document does not tell of: pages, files, health. */
const others = [
  ...[
    '/',
    '/account',
    '/cache/keys',
    '/database',
    '/database/queries',
    '/migration',
    '/migration/new',
    '/security',
  ],
  ...[
    '/security/activity',
    '/security/users',
    '/sign-in',
    '/link',
    '/set-up',
    '/system',
    '/system/api/auth.me',
  ],
  ...['/migration/00000000-0000-4000-8000-000000000000', '/system/api/nothing', '/nothing', '/favicon.ico'],
  ...['/api/health/live', '/api/health/ready', '/api/metrics', '/api/openapi.json', '/.well-known/jwks.json'],
  ...['/api/upload?name=a.db', '/api/security/audit/checkpoints', '/api/security/events/export?format=csv'],
  ...[
    '/api/security/events/export?format=ndjson',
    '/api/migration/00000000-0000-4000-8000-000000000000/report',
  ],
]

const undo: (() => unknown)[] = []
afterAll(async () => {
  for (const step of undo.splice(0).reverse()) await step()
})

describe('random and malformed requests to every route', () => {
  needsPostgres()
  needsRedis()

  let console: RunningConsole
  let stage: Stage
  const teams: Team[] = []

  beforeAll(async () => {
    const [database, target, redis, receiver] = await Promise.all([
      createDatabase(),
      createDatabase(),
      startRedis(),
      startReceiver(),
    ])
    undo.push(database.drop, target.drop, () => redis.stop(), receiver.close)
    const sources = mkdtempSync(join(tmpdir(), 'holdfast-fuzz-'))
    undo.push(() => rmSync(sources, { recursive: true, force: true }))
    const source = join(sources, 'shop.db')
    copyFileSync(join('db', 'fixtures', '0.6.0', 'store.db'), source)
    const { hostname, port, username, password } = new URL(database.url)
    console = await startConsole({
      env: {
        // An address is trusted by the console itself; its user still has a limit of his own.
        ...{
          RATE_LIMIT_USER: 'off',
          LOG_LEVEL: 'warn',
          OUTBOUND_ALLOW: '127.0.0.1',
          MIGRATION_SOURCE_DIRS: sources,
        },
        ...{ DB_TYPE: 'postgresql', DB_HOST: hostname, DB_PORT: port, DB_NAME: database.database },
        ...{ DB_USER: username, DB_PASSWORD: decodeURIComponent(password) },
        ...{ REDIS_HOST: redis.host, REDIS_PORT: String(redis.port) },
      },
    })
    undo.push(() => console.stop())
    const document: Document = (await program(console).get('/api/openapi.json')).body
    const place = { host: hostname, port, user: username, password: decodeURIComponent(password) }
    const known = openKnown(
      meaningful({ place, database: target.database, source, url: `${receiver.url}/hook` }),
    )
    const people = await openPeople(console)
    await trust(people)
    for (let team = 0; team < parallel; team++) {
      const members = []
      for (const role of roles) members.push([role, await people.invite(people.root, role)])
      teams.push(Object.fromEntries(members))
    }
    for (const { userId } of [people.root, ...teams.flatMap((team) => Object.values(team))])
      known.spare(userId)
    // Nor does anybody take the trust away.
    known.spare(trusted)
    const wire = openWire(console.port)
    undo.push(wire.close)
    stage = { operations: operationsOf(document), others, known, people, wire, tally: openTally() }
  })

  /** Limits of addresses are no part of what is tried here. */
  async function trust(people: Awaited<ReturnType<typeof openPeople>>): Promise<void> {
    const input = { network: trusted, owner: 'tests', reason: 'random requests', expiresAt: null }
    const grant = await people.stepUp(people.root, 'security.trusted.add', input)
    const { call } = program(console)
    const { status } = await call('security.trusted.add', input, {
      ...bearer(people.root.accessToken),
      ...grant,
    })
    expect(status).toBe(200)
  }

  it('are answered without a failure, a crash or growing memory', async () => {
    const { tally, operations } = stage
    const memory: Memory[] = []
    const figures = () => {
      const counts = operations.map(({ name }) => ({ name, count: tally.reached[name] ?? 0 }))
      const fewest = counts.reduce((a, b) => (b.count < a.count ? b : a))
      const third = Math.floor(memory.length / 3)
      const [early, late] = [memory.slice(third, 2 * third), memory.slice(-third)].map(floorOf)
      const text =
        `seed=${seed} requests=${tally.total()} statuses=${JSON.stringify(tally.statuses)} ` +
        `operations=${operations.length} least_reached=${fewest.count} (${fewest.name}) ` +
        `refused=${Math.round((100 * tally.refused()) / tally.total())}% failures=${tally.failures.length} ` +
        `heap_mib=${early?.heap}→${late?.heap} resident_mib=${early?.resident}→${late?.resident}`
      return { text, counts, fewest, early, late }
    }
    const done = () =>
      (tally.total() >= most && figures().fewest.count >= least) || tally.total() >= 1.5 * most
    for (let round = 0; !done() && tally.failures.length < 20; round++) {
      const turns = turnsOf(stage, seed + round, 8 * round)
      const all = { minLength: turns.length, maxLength: turns.length }
      const [queue = []] = fc.sample(fc.shuffledSubarray(turns, all), { seed: seed + round, numRuns: 1 })
      const send = async (team: Team) => {
        for (let turn = queue.pop(); turn; turn = queue.pop()) {
          await take(stage, team, turn)
          if (queue.length % 100 === 0) memory.push(await memoryOf(console))
        }
      }
      await Promise.all(teams.map(send))
      if (everything) process.stdout.write(`${figures().text}\n`)
    }
    const { text, counts, early, late } = figures()
    process.stdout.write(`FUZZ ${text}\n`)
    expect(tally.failures, `FUZZ_SEED=${seed}`).toEqual([])
    expect(console.output().split('\n').filter(unexpected)).toEqual([])
    expect((await program(console).get('/api/health/ready')).status).toBe(200)
    expect(tally.refused() / tally.total()).toBeLessThan(0.2)
    expect(counts.filter(({ count }) => count < least)).toEqual([])
    if (!everything) return
    expect(late?.heap).toBeLessThan(1.25 * (early?.heap ?? 0) + 30)
    expect(late?.resident).toBeLessThan(1.25 * (early?.resident ?? 0) + 60)
  })
})

/** Whether a line of the log tells of something that nobody expected. */
const unexpected = (line: string) => line.includes('"level":"error"') || /^\w*Error: /.test(line)

interface Memory {
  resident: number
  heap: number
}

/** What was in use at least: what is left of the heap once it was swept. */
const floorOf = (samples: Memory[]): Memory => ({
  resident: Math.min(...samples.map(({ resident }) => resident)),
  heap: Math.min(...samples.map(({ heap }) => heap)),
})

/** Of the console's process, in MiB. */
async function memoryOf({ url }: RunningConsole): Promise<Memory> {
  const text = await (await fetch(`${url}/api/metrics`)).text()
  const of = (name: string) =>
    Math.round(Number(new RegExp(`^${name} (\\S+)`, 'm').exec(text)?.[1]) / 2 ** 20)
  return { resident: of('holdfast_process_resident_bytes'), heap: of('holdfast_process_heap_used_bytes') }
}
