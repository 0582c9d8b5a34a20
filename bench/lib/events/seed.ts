import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { type MessagePort, Worker } from 'node:worker_threads'
import { Client } from 'pg'
import { from as copyFrom } from 'pg-copy-streams'
import { type AuditRow, chained, genesis, severityOf } from '@/server/audit'
import { eventsOf } from './world'

/** Signs the events of the bench. */
export const benchKey = { id: 'bench', key: new Uint8Array(32).fill(9) }

const COLUMNS = [
  ...['seq', 'epoch', 'time', 'event', 'actor_id', 'actor', 'target', 'outcome', 'reason', 'address'],
  ...['user_agent', 'session_id', 'request_id', 'before', 'after', 'previous_hash', 'hash', 'mac', 'key_id'],
  ...['severity', 'source'],
]
const BATCH = 4_096

export interface SeedOrder {
  until: number
  events: number
}

interface Batch {
  lines: Uint8Array
  last: { seq: number; hash: string }
}

/** In a worker: makes the events of the bench, chained, as lines for COPY, never far ahead of who takes them. */
export async function makeLines({ until, events }: SeedOrder, port: MessagePort) {
  let head = { seq: 0, hash: genesis }
  let text = ''
  let ahead = 0
  port.on('message', () => ahead--)
  for (const event of eventsOf(until, events)) {
    const { before: _, after, severity, source, target, reason, ...rest } = event
    const row = chained(
      {
        ...{
          ...rest,
          seq: head.seq + 1,
          epoch: 1,
          previousHash: head.hash,
          keyId: benchKey.id,
          before: null,
        },
        ...{ target: target ?? null, reason: reason ?? null, source: source ?? null },
        after: after ? JSON.stringify(after) : null,
        severity: severity ?? severityOf(event.event, event.outcome),
      },
      benchKey.key,
    )
    head = row
    text += line(row)
    if (row.seq % BATCH !== 0 && row.seq !== events) continue
    port.postMessage({ lines: Buffer.from(text), last: { seq: row.seq, hash: row.hash } })
    text = ''
    ahead++
    // The other side's answers are heard in a turn of the event loop alone.
    do await new Promise((resolve) => setImmediate(resolve))
    while (ahead > 16)
  }
  port.close()
}

/** Nothing in these events needs an escape in COPY's text form. */
function line(row: AuditRow): string {
  const { seq, epoch, time, event, actorId, actor, target, outcome, reason, address, userAgent } = row
  const { sessionId, requestId, before, after, previousHash, hash, mac, keyId, severity, source } = row
  const fields = [seq, epoch, time, event, actorId, actor, target, outcome, reason, address, userAgent]
  const more = [sessionId, requestId, before, after, previousHash, hash, mac, keyId, severity, source]
  return `${[...fields, ...more].map((field) => field ?? '\\N').join('\t')}\n`
}

/** Fills the empty log of a store: rows by COPY in one transaction, then the indexes that were there, then statistics. */
export async function seed(url: string, order: SeedOrder): Promise<void> {
  const client = new Client({ connectionString: url })
  await client.connect()
  // The log refuses to be emptied, but for replication.
  await client.query(`set session_replication_role = 'replica'`)
  const { rows } = await client.query<{ name: string; ddl: string }>(
    `select indexname as name, indexdef as ddl from pg_indexes
     where tablename = 'audit_events' and indexname not like '%pkey'`,
  )
  for (const { name } of rows) await client.query(`drop index "${name}"`)
  const last = await copy(client, order)
  await client.query(`set maintenance_work_mem = '1GB'`)
  for (const { name, ddl } of rows) {
    console.log(`  index ${name}`)
    await client.query(ddl)
  }
  await client.query(
    'insert into audit_head values (1, 1, $1, $2) on conflict (id) do update set seq = $1, hash = $2',
    [last.seq, last.hash],
  )
  await client.query('analyze')
  await client.end()
}

async function copy(client: Client, order: SeedOrder): Promise<Batch['last']> {
  // Rows of a table that was emptied in the same transaction need no log, and are frozen as they come.
  await client.query('begin')
  await client.query('truncate audit_events')
  const stream = client.query(copyFrom(`copy audit_events (${COLUMNS.join(', ')}) from stdin with (freeze)`))
  const worker = new Worker(fileURLToPath(import.meta.url), { workerData: order })
  let last = { seq: 0, hash: genesis }
  let writing = Promise.resolve()
  let told = 0
  worker.on('message', (batch: Batch) => {
    last = batch.last
    writing = writing.then(async () => {
      if (!stream.write(batch.lines)) await once(stream, 'drain')
      worker.postMessage('next')
      if (batch.last.seq - told < order.events / 10) return
      told = batch.last.seq
      console.log(`  ${told.toLocaleString('en')} events`)
    })
  })
  await once(worker, 'exit')
  await writing
  stream.end()
  await once(stream, 'finish')
  await client.query('commit')
  return last
}
