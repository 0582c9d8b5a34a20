import BetterSqlite3 from 'better-sqlite3'
import { Client } from 'pg'
import { columnName } from '@/db/columns'
import { type AuditRow, chained, genesis } from '../chain'
import type { Found } from '../judge'
import type { LogPlace } from '../log-source'
import { withSnapshot } from '../log-source'

/** What a superuser of the database can do to the log: any statement, past triggers and rights. */
export interface Superuser {
  run(sql: string, ...params: unknown[]): Promise<void>
}

export interface Tampering {
  name: string
  /** Does it, below the last checkpoint, and answers what has to be found: no more, no less. */
  act(by: Superuser, log: AuditRow[], below: (n: number) => number): Promise<string[]>
}

const forger = new Uint8Array(32).fill(99)

/** Opens the log as somebody whom neither triggers nor rights hold up. */
export async function asSuperuser<T>(place: LogPlace, work: (by: Superuser) => Promise<T>): Promise<T> {
  if (place.dialect === 'sqlite') {
    const client = new BetterSqlite3(place.file, { timeout: 5_000 })
    try {
      const triggers = client
        .prepare(`select name from sqlite_schema where type = 'trigger' and tbl_name like 'audit%'`)
        .pluck()
        .all()
      for (const name of triggers) client.exec(`drop trigger "${name}"`)
      return await work({
        async run(sql, ...params) {
          client.prepare(sql.replace(/\$\d+/g, '?')).run(...params)
        },
      })
    } finally {
      client.close()
    }
  }
  const { dialect: _, schema: _schema, ...config } = place
  const client = new Client(config)
  await client.connect()
  try {
    await client.query('set session_replication_role = replica')
    return await work({
      async run(sql, ...params) {
        await client.query(sql, params)
      },
    })
  } finally {
    await client.end()
  }
}

/** Every row, for the superuser to look at. */
export function readLog(place: LogPlace): Promise<AuditRow[]> {
  return withSnapshot(place, async ({ rows }) => {
    const all: AuditRow[] = []
    for await (const batch of rows()) all.push(...(batch as AuditRow[]))
    return all
  })
}

export const named = ({ kind, seq, to }: Found) => (seq === to ? `${kind} ${seq}` : `${kind} ${seq}-${to}`)

const range = (kind: string, seq: number, to: number) => named({ kind, seq, to } as Found)

const columns = Object.keys({
  epoch: 0,
  time: 0,
  event: 0,
  actorId: 0,
  actor: 0,
  target: 0,
  outcome: 0,
  reason: 0,
  address: 0,
  userAgent: 0,
  sessionId: 0,
  requestId: 0,
  before: 0,
  after: 0,
  previousHash: 0,
  hash: 0,
  mac: 0,
  keyId: 0,
  severity: 0,
  source: 0,
} satisfies Record<Exclude<keyof AuditRow, 'seq'>, 0>) as Exclude<keyof AuditRow, 'seq'>[]

/** A place well below the end: 1 to the last but `left`. */
const placeIn = (log: AuditRow[], below: (n: number) => number, left = 30) => 1 + below(log.length - left)
const at = (log: AuditRow[], seq: number) => log[seq - 1] as AuditRow
const lastOf = (log: AuditRow[]) => log.length

async function write(by: Superuser, row: AuditRow): Promise<void> {
  const names = ['seq', ...columns] as const
  const values = names.map((name) => row[name])
  const places = names.map((_, index) => `$${index + 1}`).join(', ')
  await by.run(
    `insert into audit_events (${names.map((name) => `"${columnName(name)}"`).join(', ')}) values (${places})`,
    ...values,
  )
}

async function setRow(by: Superuser, seq: number, row: AuditRow): Promise<void> {
  const values = columns.map((name) => row[name])
  const sets = columns.map((name, index) => `"${columnName(name)}" = $${index + 1}`).join(', ')
  await by.run(`update audit_events set ${sets} where seq = $${columns.length + 1}`, ...values, seq)
}

const setHead = (by: Superuser, { seq, hash }: { seq: number; hash: string }) =>
  by.run('update audit_head set seq = $1, hash = $2', seq, hash)

/** Rows from `seq` on get another number. */
async function renumber(by: Superuser, from: number, step: number): Promise<void> {
  await by.run(`update audit_events set seq = -(seq + ${step}) where seq >= $1`, from)
  await by.run('update audit_events set seq = -seq where seq < 0')
}

/** Keeps a copy of the log beside it, for {@link putBack}. */
export async function keepCopy(by: Superuser): Promise<void> {
  await by.run('create table copy_of_events as select * from audit_events')
  await by.run('create table copy_of_head as select * from audit_head')
}

/** Puts the log back as it was: whatever was done to it, rows and head. */
export async function putBack(by: Superuser): Promise<void> {
  await by.run('delete from audit_events')
  await by.run('delete from audit_head')
  await by.run('insert into audit_events select * from copy_of_events')
  await by.run('insert into audit_head select * from copy_of_head')
}

const edits: Tampering[] = columns.map((column) => ({
  name: `edits ${columnName(column)}`,
  async act(by, log, below) {
    const seq = placeIn(log, below)
    const value = at(log, seq)[column]
    const other = typeof value === 'number' ? value + 1 : value === null ? 'x' : `${value}x`
    await by.run(`update audit_events set "${columnName(column)}" = $1 where seq = $2`, other, seq)
    return [range('modified', seq, seq)]
  },
}))

/** Everything that the rules of verification have a name for, by somebody without the keys. */
export const tamperings: Tampering[] = [
  ...edits,
  {
    name: 'empties what may be null',
    async act(by, log, below) {
      const seq = placeIn(log, below)
      await by.run('update audit_events set severity = null, source = $1 where seq = $2', 'shop', seq)
      return [range('modified', seq, seq)]
    },
  },
  {
    name: 'edits seq',
    async act(by, log, below) {
      const seq = placeIn(log, below)
      await by.run('update audit_events set seq = $1 where seq = $2', log.length + 1 + below(1e6), seq)
      return [range('reordered', seq, seq)]
    },
  },
  {
    name: 'edits many rows at once',
    async act(by, log, below) {
      const seq = placeIn(log, below)
      await by.run('update audit_events set actor = $1 where seq between $2 and $3', 'x', seq, seq + 20)
      return [range('modified', seq, seq + 20)]
    },
  },
  {
    name: 'deletes in the middle',
    async act(by, log, below) {
      const seq = placeIn(log, below)
      const to = seq + below(20)
      await by.run('delete from audit_events where seq between $1 and $2', seq, to)
      return [range('missing', seq, to)]
    },
  },
  {
    name: 'deletes in the middle and closes the gap',
    async act(by, log, below) {
      const seq = placeIn(log, below)
      const to = seq + below(20)
      await by.run('delete from audit_events where seq between $1 and $2', seq, to)
      await renumber(by, to + 1, seq - to - 1)
      return [range('missing', seq, to), range('reordered', to + 1, lastOf(log))]
    },
  },
  {
    name: 'deletes the tail',
    async act(by, log, below) {
      const seq = placeIn(log, below)
      await by.run('delete from audit_events where seq >= $1', seq)
      return [range('truncated', seq, lastOf(log))]
    },
  },
  {
    name: 'swaps two rows',
    async act(by, log, below) {
      const a = placeIn(log, below)
      const b = a + 2 + below(20)
      await by.run('update audit_events set seq = -1 where seq = $1', a)
      await by.run('update audit_events set seq = $1 where seq = $2', a, b)
      await by.run('update audit_events set seq = $1 where seq = -1', b)
      return [range('reordered', a, a), range('reordered', b, b)]
    },
  },
  {
    name: 'swaps two neighbours',
    async act(by, log, below) {
      const a = placeIn(log, below)
      await by.run('update audit_events set seq = -1 where seq = $1', a)
      await by.run('update audit_events set seq = $1 where seq = $2', a, a + 1)
      await by.run('update audit_events set seq = $1 where seq = -1', a + 1)
      return [range('reordered', a, a + 1)]
    },
  },
  {
    name: 'inserts at the end, with the head',
    async act(by, log) {
      const last = log.at(-1) as AuditRow
      const row = chained({ ...last, seq: last.seq + 1, actor: 'nobody', previousHash: last.hash }, forger)
      await write(by, row)
      await setHead(by, row)
      return [range('inserted', row.seq, row.seq)]
    },
  },
  {
    name: 'inserts in the middle',
    async act(by, log, below) {
      const seq = placeIn(log, below)
      const before = log[seq - 2]
      await renumber(by, seq, 1)
      await write(
        by,
        chained({ ...at(log, seq), actor: 'nobody', previousHash: before?.hash ?? genesis }, forger),
      )
      return [range('inserted', seq, seq), range('reordered', seq, lastOf(log))]
    },
  },
  {
    name: 'chains anew without the key',
    async act(by, log, below) {
      const seq = Math.max(placeIn(log, below), log.length - 200)
      let previousHash = log[seq - 2]?.hash ?? genesis
      for (const row of log.slice(seq - 1)) {
        const forged = chained(
          { ...row, actor: row.seq === seq ? 'nobody' : row.actor, previousHash },
          forger,
        )
        await setRow(by, row.seq, forged)
        previousHash = forged.hash
      }
      await setHead(by, { seq: log.length, hash: previousHash })
      return [range('modified', seq, lastOf(log))]
    },
  },
  {
    name: 'hashes one row anew without the key',
    async act(by, log, below) {
      const seq = placeIn(log, below)
      await setRow(by, seq, chained({ ...at(log, seq), actor: 'nobody' }, forger))
      return [range('modified', seq, seq)]
    },
  },
  {
    name: 'puts the table back, with its head',
    async act(by, log, below) {
      const seq = placeIn(log, below) + 1
      await by.run('delete from audit_events where seq >= $1', seq)
      await setHead(by, at(log, seq - 1))
      return [range('rolled back', seq, lastOf(log))]
    },
  },
  {
    name: 'empties the log, with its head',
    async act(by, log) {
      await by.run('delete from audit_events')
      await by.run('delete from audit_head')
      return [range('rolled back', 1, lastOf(log))]
    },
  },
  {
    name: 'copies a row to the end',
    async act(by, log, below) {
      const row = at(log, placeIn(log, below))
      await write(by, { ...row, seq: log.length + 1 })
      return [range('inserted', log.length + 1, log.length + 1)]
    },
  },
]
