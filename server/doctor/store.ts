import { existsSync } from 'node:fs'
import { join } from 'node:path'
import BetterSqlite3 from 'better-sqlite3'
import { newest } from '@/db/migrate'
import { retiredReason } from '@/db/retired'
import { factsOf, findTool, type PostgresPlace, type StorePlace, withClient } from '@/server/backup'
import { testConnection } from '@/server/database'
import type { Env } from '@/server/env'
import { placeOfStore } from '@/server/open-backup'
import { migrationsFolder, trusted } from '@/server/open-store'
import { MOST_DRIFT_MS } from '@/server/system/bounds'
import { type Line, looked } from './line'

/** The store that a start would open, with its database. */
export async function examineStore(env: Env): Promise<Line[]> {
  const place = placeOfStore(env)
  if (place.dialect === 'sqlite') {
    const retired = retiredReason(place.file)
    if (retired) return [{ title: 'Store', state: 'problem', detail: retired }]
    if (!existsSync(place.file)) {
      const detail = `${place.file} is not there yet: the first start makes it.`
      return [{ title: 'Store', state: 'ok', detail }]
    }
    const sound = sqlite(place.file)
    return sound.some(({ state }) => state === 'problem') ? sound : [...sound, ...(await rest(env, place))]
  }
  const lines = await connection(env, place)
  if (lines.some(({ state }) => state === 'problem')) return lines
  return [
    ...lines,
    ...(await looked('Clock', () => clock(place))),
    ...(await replicas(env, place)),
    ...(await rest(env, place)),
  ]
}

async function rest(env: Env, place: StorePlace): Promise<Line[]> {
  return [
    ...(await looked('Schema', async () => {
      const { schema, lastBackup } = await factsOf(place)
      return schema === null
        ? [schemaLine(place, schema)]
        : [schemaLine(place, schema), backup(env, lastBackup)]
    })),
    ...(place.dialect === 'postgresql' ? await looked('Backup', () => dumps(place)) : []),
  ]
}

function sqlite(file: string): Line[] {
  const client = new BetterSqlite3(file, { readonly: true, fileMustExist: true, timeout: 5_000 })
  try {
    const [found] = client.pragma('quick_check(1)') as { quick_check: string }[]
    if (found?.quick_check === 'ok') return [{ title: 'Store', state: 'ok', detail: `${file} is sound.` }]
    throw new Error(String(found?.quick_check))
  } catch (error) {
    return [
      {
        ...{ title: 'Store', state: 'problem', detail: `${file} is damaged: ${(error as Error).message}.` },
        remedy: 'Move it away, and restore a backup: npm run backup -- restore PATH',
      },
    ]
  } finally {
    client.close()
  }
}

/** Step by step, as the page Connection test does. */
async function connection(env: Env, place: PostgresPlace): Promise<Line[]> {
  const { host, port, database, ssl } = place
  // The console's own role; backups are made as the owner.
  const [user, password] = env.DB_OWNER_USER
    ? [env.DB_USER, env.DB_PASSWORD ?? '']
    : [place.user, place.password]
  const { steps } = await testConnection({ host, port, database, user, password, ssl, ...trusted(env) })
  const told = steps.filter(({ state }) => state === 'failed' || state === 'warning')
  const ok: Line = {
    title: 'Database',
    state: 'ok',
    detail: `PostgreSQL at ${host}:${port}/${database} can be used as ${user}.`,
  }
  const lines = told.map(
    ({ title, state, detail, remedy }): Line => ({
      title: `Database, ${title.toLowerCase()}`,
      state: state === 'failed' ? 'problem' : 'warning',
      detail,
      ...(remedy ? { remedy } : {}),
    }),
  )
  return lines.some(({ state }) => state === 'problem') ? lines : [ok, ...lines]
}

async function clock(place: PostgresPlace): Promise<Line[]> {
  return withClient(place, async (client) => {
    const before = Date.now()
    const { rows } = await client.query('select extract(epoch from clock_timestamp()) * 1000 as now')
    const drift = Math.round(Number(rows[0].now) - (before + Date.now()) / 2)
    const title = 'Clock'
    const detail = `The clock of the database is ${Math.abs(drift)} ms ${drift < 0 ? 'behind' : 'ahead of'} this one.`
    if (Math.abs(drift) < MOST_DRIFT_MS) return [{ title, state: 'ok', detail }]
    return [
      {
        ...{ title, state: 'warning', detail },
        remedy: 'Let NTP set both: limits, sessions and codes go by the time.',
      },
    ]
  })
}

async function replicas(env: Env, place: PostgresPlace): Promise<Line[]> {
  const title = 'Replica'
  const lines = await Promise.all(
    env.DB_READ_HOST.map((host, at) => {
      const port = Number(env.DB_READ_PORT[at] ?? env.DB_READ_PORT[0] ?? env.DB_PORT)
      return looked(title, () =>
        withClient({ ...place, host, port }, async (client): Promise<Line[]> => {
          const { rows } = await client.query('select pg_is_in_recovery() as standby')
          return rows[0].standby
            ? [{ title, state: 'ok', detail: `${host}:${port} follows a primary.` }]
            : [
                {
                  ...{ title, state: 'warning', detail: `${host}:${port} is a primary, not a replica.` },
                  remedy: 'If it was promoted, name it in DB_HOST; two primaries drift apart.',
                },
              ]
        }),
      )
    }),
  )
  return lines.flat()
}

function schemaLine({ dialect }: StorePlace, at: number | null): Line {
  const title = 'Schema'
  const ours = newest(join(migrationsFolder, dialect === 'sqlite' ? 'sqlite' : 'pg'))
  if (at === null)
    return { title, state: 'ok', detail: 'The database is empty: the first start makes the tables.' }
  if (at === ours) return { title, state: 'ok', detail: "The store has this release's schema." }
  if (at > ours) {
    return {
      ...{
        title,
        state: 'problem',
        detail: 'The store was written by a newer release: this one must not touch it.',
      },
      remedy: 'Start that release, or restore a backup.',
    }
  }
  return {
    ...{ title, state: 'warning', detail: 'The store is of an older release: the next start upgrades it.' },
    remedy: 'Make a backup first: npm run backup -- create. An older release does not open it afterwards.',
  }
}

function backup({ BACKUP_MAX_AGE: most }: Env, last: { at: number; path: string } | null): Line {
  const title = 'Backup'
  const remedy = 'npm run backup -- create makes one; ops/holdfast-backup.timer does so every night.'
  if (!last) return { title, state: 'warning', detail: 'No backup of this store was ever made.', remedy }
  const hours = Math.round((Date.now() - last.at) / 3_600_000)
  const detail = `The last backup is ${hours} hours old, at ${last.path}.`
  const old = Date.now() - last.at > (most ?? 7 * 86_400_000)
  return old ? { title, state: 'warning', detail, remedy } : { title, state: 'ok', detail }
}

async function dumps(place: PostgresPlace): Promise<Line[]> {
  const version = await withClient(place, async (client) => {
    const { rows } = await client.query(
      "select current_setting('server_version_num')::int / 10000 as version",
    )
    return Number(rows[0].version)
  })
  try {
    const tool = await findTool('pg_dump', version)
    return [
      {
        title: 'Backup',
        state: 'ok',
        detail: `${tool.path} (${tool.version}) can copy this server (${version}).`,
      },
    ]
  } catch (error) {
    const { message, remedy = '' } = error as { message: string; remedy?: string }
    return [{ title: 'Backup', state: 'warning', detail: message, remedy }]
  }
}
