import { setTimeout as delay } from 'node:timers/promises'
import { paced } from '@/bench/lib/pace'
import { random } from '@/db/testing/library'
import {
  bruteForce,
  distributed,
  enumerate,
  everyday,
  forgeTokens,
  report,
  reuseRefresh,
  spraying,
} from './attacks'
import { invite, makeAdmin, type Person } from './people'
import { openShop } from './shop'
import { type Stack, startStack } from './stack'

export interface Scene {
  stack: Stack
  admin: Person
  /** The admin's authenticator app: its secret, and codes that work once each. */
  secret: string
  code: () => string
  backupCodes: string[]
  /** Plans a run of the sample file into a schema of the warehouse, ready to start; answers its id. */
  plan(schema: string): Promise<string>
  start(runId: string): Promise<void>
  stop(): Promise<void>
}

/** A stack with people, a busy shop and a few attacks. `rows` is about what the SQLite file to migrate holds. */
export async function openScene(options: { rows: number; failed: (error: unknown) => void }): Promise<Scene> {
  const { failed } = options
  const stack = await startStack(options)
  const ends: (() => Promise<unknown> | unknown)[] = [stack.stop]
  const stop = async () => {
    for (const end of ends.splice(0).reverse()) await end()
  }
  try {
    const place = { url: stack.console.url }
    const { admin, secret, backupCodes, code } = await makeAdmin(place, stack.console.setUpLink ?? '')
    const closeShop = await openShop(stack, failed)
    ends.push(closeShop)
    const member = (email: string, name: string, role: string, address: string) =>
      invite(place, admin, { email, name, role, address })
    const otto = await member('otto@example.org', 'Otto Operator', 'operator', '192.0.2.20')
    const vera = await member('vera@example.org', 'Vera Viewer', 'viewer', '192.0.2.31')
    const key = { name: 'shop', permissions: ['security:ingest'], days: 1 }
    const { key: reports } = await admin.confirmed('security.createApiKey', key)
    await admin.confirmed('security.alerts.addChannel', {
      ...{ kind: 'webhook', name: 'On call', url: stack.receiver, leastSeverity: 'medium', enabled: true },
    })
    const connectionId = await keepWarehouse(admin, stack)
    ends.push(await goOn(stack, { otto, vera, reports, failed }))
    const plan = async (schema: string) => planned(admin, connectionId, schema)
    const start = async (id: string) => void (await admin.confirmed('migration.start', { id }))
    return { stack, admin, secret, backupCodes, code, plan, start, stop }
  } catch (error) {
    await stop()
    throw error
  }
}

async function keepWarehouse(admin: Person, { primary, warehouse }: Stack): Promise<string> {
  const { host, port, user, password } = primary
  const place = { name: 'Warehouse', host, port, database: warehouse, user, password, ssl: false }
  return (await admin.ask('migration.createConnection', place)).id
}

async function planned(admin: Person, connectionId: string, schema: string): Promise<string> {
  const sources = await admin.read('migration/sources')
  const source = { kind: 'folder', path: sources.files[0].path }
  const target = { kind: 'connection', id: connectionId }
  const { id } = await admin.ask('migration.create', { source, target, schema })
  for (;;) {
    const { plan, error, phase } = await admin.read(`migration/status/${id}`)
    if (error) throw new Error(`The plan of ${schema} could not be made: ${error.message}`)
    if (plan && phase === null) return id
    await delay(300)
  }
}

/** Everyday work without an end, and the attacks one after another. Answers how to stop. */
async function goOn(
  stack: Stack,
  {
    otto,
    vera,
    reports,
    failed,
  }: { otto: Person; vera: Person; reports: string; failed: (error: unknown) => void },
): Promise<() => Promise<void>> {
  const place = { url: stack.console.url }
  const below = random(29)
  const pages = [
    ...['database/stats', 'cache/stats', 'security/stats', 'system/health', 'security/events?limit=20'],
    ...['security/findings', 'cache/health', 'system/config'],
  ]
  const attacks = [
    () =>
      report(
        place,
        reports,
        spraying((number) => `203.0.113.${100 + (number % 5)}`),
      ),
    () => enumerate(place, '203.0.113.7'),
    () => reuseRefresh(place, vera, '203.0.113.66'),
    () => report(place, reports, distributed()),
    () => forgeTokens(place, '203.0.113.80'),
    () => bruteForce(place, '203.0.113.9', otto.email),
  ]
  let stopping = false
  const going = new Set<Promise<unknown>>()
  const begin = (work: () => Promise<unknown>, most = 20) => {
    // A console that is behind gets no more than it can bear.
    if (going.size >= most || stopping) return
    const one = work().catch(failed)
    going.add(one)
    void one.finally(() => going.delete(one))
  }
  const stops = [
    paced(3, () =>
      begin(() => [otto, vera][below(2)]?.read(pages[below(pages.length)] ?? '') ?? Promise.resolve()),
    ),
    paced(0.7, () => begin(() => report(place, reports, everyday(below)))),
    paced(0.05, () => begin(() => otto.signIn())),
    // Each attack once, within the first minute.
    paced(0.15, () => {
      const attack = attacks.shift()
      if (attack) begin(attack, Number.POSITIVE_INFINITY)
    }),
  ]
  return async () => {
    stopping = true
    for (const stop of stops) stop()
    await Promise.allSettled(going)
  }
}
