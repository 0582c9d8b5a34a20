import { chmod } from 'node:fs/promises'
import BetterSqlite3 from 'better-sqlite3'
import { sync } from './durable'
import { BackupError } from './error'
import { findTool, runTool } from './pg-tools'
import { nameOf, type PostgresPlace, type StorePlace, withClient } from './place'

/** What a copy holds, read from the copy itself or from the snapshot that it is made of. */
export interface Copied {
  schema: number | null
  audit: { epoch: number; seq: number; hash: string } | null
}

/** Schemas of a store: its tables, and drizzle's bookkeeping. */
export const SCHEMAS = ['public', 'drizzle']

const HEAD = 'select epoch, seq, hash from audit_head where id = 1'

/** Copies one state of a store into a file, while consoles go on reading and writing. On the disk when it returns. */
export async function copyStore(place: StorePlace, file: string): Promise<Copied> {
  const copied = place.dialect === 'sqlite' ? await copySqlite(place.file, file) : await dump(place, file)
  await chmod(file, 0o600)
  await sync(file)
  return copied
}

/**
 * SQLite's online backup (sqlite.org/backup.html), all pages in one step: a step is one read transaction, which holds
 * no writer up in WAL mode, and a write between two steps would begin it anew.
 */
async function copySqlite(from: string, to: string): Promise<Copied> {
  const source = new BetterSqlite3(from, { readonly: true, fileMustExist: true, timeout: 10_000 })
  try {
    await source.backup(to, { progress: () => 0x7fffffff })
  } finally {
    source.close()
  }
  const copy = new BetterSqlite3(to)
  try {
    // One file, with no log beside it.
    copy.pragma('journal_mode = DELETE')
    const [found] = copy.pragma('quick_check(1)', { simple: false }) as { quick_check: string }[]
    if (found?.quick_check !== 'ok')
      throw new BackupError(
        `The store ${from} is damaged: ${found?.quick_check}.`,
        'Keep the last good backup: this one would not be.',
      )
    return contentsOf(copy)
  } finally {
    copy.close()
  }
}

/** What the copy of a SQLite store holds. */
export function contentsOf(client: BetterSqlite3.Database): Copied {
  const has = (name: string) => client.prepare('select 1 from sqlite_master where name = ?').get(name)
  const newest = has('__drizzle_migrations')
    ? (client.prepare('select max(created_at) as at from __drizzle_migrations').get() as {
        at: number | null
      })
    : null
  const audit = has('audit_head') ? (client.prepare(HEAD).get() as Copied['audit'] | undefined) : null
  return { schema: newest?.at ?? null, audit: audit ?? null }
}

/** pg_dump of the snapshot in which the end of the log is read, so that both are of one moment. */
async function dump(place: PostgresPlace, to: string): Promise<Copied> {
  return withClient(place, async (client) => {
    const one = async (text: string) => (await client.query(text)).rows[0] as Record<string, unknown>
    const { version } = await one("select current_setting('server_version_num')::int / 10000 as version")
    const tool = await findTool('pg_dump', Number(version))
    await client.query('begin isolation level repeatable read read only')
    await client.query('set local idle_in_transaction_session_timeout = 0')
    const { tables } = await one("select to_regclass('drizzle.__drizzle_migrations') is not null as tables")
    if (!tables) throw new BackupError(`The database ${nameOf(place)} holds no store of Holdfast.`)
    const { at } = await one('select max(created_at) as at from drizzle.__drizzle_migrations')
    const head = await one(HEAD)
    const { snapshot } = await one('select pg_export_snapshot() as snapshot')
    await runTool(
      tool,
      [
        ...['--format=custom', `--file=${to}`, `--snapshot=${snapshot}`, '--lock-wait-timeout=30s'],
        ...['--no-publications', '--no-subscriptions', '--no-security-labels', '--no-tablespaces'],
        ...SCHEMAS.map((schema) => `--schema=${schema}`),
      ],
      place,
    )
    return {
      schema: at == null ? null : Number(at),
      audit: head ? { epoch: Number(head.epoch), seq: Number(head.seq), hash: String(head.hash) } : null,
    }
  })
}
