import { fork } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { Client } from 'pg'
import { random } from '@/db/testing/library'
import { makeFolder, removeFolder } from '@/db/testing/processes'
import { auditKeys, openAudit, recordAudit, system } from '@/server/audit'
import { asSuperuser, named, openWritten, readLog, tamperings, verifyLog } from '@/server/audit/testing/chaos'
import { systemClock } from '@/server/clock'
import { openLog } from '@/server/log'
import { startPostgresStore } from '@/server/security/testing/chaos-stores'
import { openVault } from '@/server/vault'

/**
 * Eight processes write 500 events each, and the log verifies. Then, a round, a copy of the log verifies (else it is
 * a false alarm), a superuser tampers with it, once, at random, and it must be named rightly: every event of it and
 * no other (else it is missed).
 */
const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '100' },
    seed: { type: 'string' },
    processes: { type: 'string', default: '8' },
    writes: { type: 'string', default: '500' },
    writer: { type: 'string' },
  },
})
const vault = openVault(Buffer.alloc(32, 7))
const auditKey = { id: vault.keyId, key: vault.key('audit') }
const writes = Number(values.writes)

if (values.writer !== undefined) await write(values.writer)
else process.exit(await play())

/** One of the processes that write. */
async function write(url: string): Promise<void> {
  const { store, close } = openWritten(url, auditKey)
  let left = writes
  const writer = async () => {
    for (let number = left--; number > 0; number = left--)
      await store.run(recordAudit, {
        ...system,
        ...{ actor: `process-${process.pid}`, time: Date.now(), event: 'user_updated', outcome: 'success' },
        ...{ target: `user:${number}`, after: { number }, source: number % 3 === 0 ? 'shop' : null },
      })
  }
  await Promise.all([writer(), writer(), writer(), writer()])
  await close()
}

async function play(): Promise<number> {
  const rounds = Number(values.rounds)
  const seed = Number(values.seed ?? Date.now() % 1_000_000)
  const below = random(seed)
  const { store, url, close } = await startPostgresStore()
  const folder = makeFolder('chaos-audit')
  const place = placeOf(url)
  const log = openLog('error')
  const audit = openAudit(
    { store, clock: systemClock, log, keys: auditKeys(vault), place: () => place },
    folder,
  )
  const admin = new Client({ connectionString: Object.assign(new URL(url), { pathname: '/template1' }).href })
  await admin.connect()
  try {
    audit.start()
    const began = performance.now()
    await writeAll(url, Number(values.processes))
    const took = (performance.now() - began) / 1000
    const lastWrite = performance.now()
    await audit.close()
    const rows = await readLog(place)
    const task = {
      ...{ folder, macs: [...auditKeys(vault).macs] },
      publicKeys: audit.publicKeys().map(({ id, pem }) => [id, pem] as [string, string]),
    }
    const whole = await verifyLog({ ...task, place })
    console.log(
      `${rows.length} events by ${values.processes} processes in ${took.toFixed(1)} s: ${
        whole.sound ? 'sound' : whole.found.map(named).join(', ')
      }; ${whole.checkpoints.agreed} checkpoints, ${whole.unprotected.events} events unprotected; seed ${seed}`,
    )
    await delay(Math.max(0, 2_000 - (performance.now() - lastWrite)))
    let [missed, falsely] = [0, whole.sound && rows.length === Number(values.processes) * writes ? 0 : 1]
    await endConnections(admin, place.database)
    for (let round = 1; round <= rounds; round++) {
      const copy = { ...place, database: `round_${round}` }
      await admin.query(`create database ${copy.database} template ${place.database}`)
      const before = await verifyLog({ ...task, place: copy })
      if (!before.sound) falsely++
      const tampering = tamperings[below(tamperings.length)]
      if (!tampering) throw new Error('There is nothing to do.')
      const expected = await asSuperuser(copy, (by) => tampering.act(by, rows, below))
      const { found } = await verifyLog({ ...task, place: copy })
      const right = found.map(named).join(', ') === expected.join(', ')
      if (!right) missed++
      console.log(
        `round ${round}: ${tampering.name}: ${found.map(named).join(', ')}${right ? '' : ` instead of ${expected.join(', ')}`}`,
      )
      await admin.query(`drop database ${copy.database} with (force)`)
    }
    console.log(`CHAOS audit rounds=${rounds} missed=${missed} false=${falsely}`)
    return missed + falsely === 0 ? 0 : 1
  } finally {
    await admin.end()
    await close()
    removeFolder(folder)
  }
}

async function writeAll(url: string, processes: number): Promise<void> {
  const file = join(process.cwd(), 'dist/chaos/audit.mjs')
  const args = ['--writer', url, '--writes', String(writes)]
  const children = Array.from({ length: processes }, () => fork(file, args, { execArgv: [] }))
  const codes = await Promise.all(children.map(async (child) => (await once(child, 'exit'))[0] as number))
  if (codes.some((code) => code !== 0)) throw new Error('A process that writes has failed.')
}

function placeOf(url: string) {
  const { hostname, port, username, password, pathname } = new URL(url)
  return {
    ...{ dialect: 'postgresql' as const, host: hostname, port: Number(port), ssl: false as const },
    ...{ user: decodeURIComponent(username), password: decodeURIComponent(password) },
    database: pathname.slice(1),
  }
}

/** A template must have no connections. */
async function endConnections(admin: Client, database: string): Promise<void> {
  await admin.query(
    'select pg_terminate_backend(pid) from pg_stat_activity where datname = $1 and pid <> pg_backend_pid()',
    [database],
  )
  await admin.query(`alter database ${database} with allow_connections false`)
}
