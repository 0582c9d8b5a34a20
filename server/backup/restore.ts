import { copyFile, mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { SCHEMAS } from './copy'
import { sync, writeDurably } from './durable'
import { BackupError } from './error'
import { CHECKPOINTS, type Manifest, STORE_FILES } from './manifest'
import { findTool, runTool } from './pg-tools'
import { nameOf, type PostgresPlace, type StorePlace, withClient } from './place'

/**
 * Puts the copy of a store into its place, which is empty: the file is whole or not there, the database has all or
 * nothing. Throws a {@link BackupError}.
 */
export async function placeStore(path: string, place: StorePlace): Promise<void> {
  if (place.dialect === 'postgresql') return restoreDump(join(path, STORE_FILES.postgresql), place)
  const draft = `${place.file}.restoring`
  await copyFile(join(path, STORE_FILES.sqlite), draft)
  await sync(draft)
  await rename(draft, place.file)
  await sync(join(place.file, '..'))
}

/** Puts the checkpoints of a backup beside those that are there already. */
export async function placeCheckpoints(path: string, { at }: Manifest, folder: string): Promise<void> {
  await mkdir(folder, { recursive: true, mode: 0o700 })
  const file = join(folder, `${new Date(at).toISOString().slice(0, 10)}.backup-${at}.ndjson`)
  await copyFile(join(path, CHECKPOINTS), file)
  await sync(file)
  await sync(folder)
}

/** Puts a small secret file into its place. */
export async function placeText(file: string, content: string): Promise<void> {
  const draft = `${file}.restoring`
  await writeDurably(draft, content)
  await rename(draft, file)
  await sync(join(file, '..'))
}

/** What a database holds that is not the server's own, by name; null when it is empty. */
export async function heldBy(place: PostgresPlace): Promise<string | null> {
  return withClient(place, async (client) => {
    const { rows } = await client.query(
      `SELECT quote_ident(nspname) || '.' || quote_ident(relname) AS name
       FROM pg_class c
       JOIN pg_namespace n ON n.oid = c.relnamespace
       WHERE relkind IN ('r', 'p', 'v', 'm', 'S', 'f')
         AND nspname <> 'information_schema'
         AND nspname NOT LIKE 'pg\\_%'
         AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = c.oid AND d.deptype = 'e')
       ORDER BY (relkind IN ('r', 'p')) DESC, 1`,
    )
    const [first] = rows as { name: string }[]
    if (!first) return null
    return rows.length === 1 ? first.name : `${first.name} and ${rows.length - 1} more`
  })
}

/** In one transaction, and without what every database has already. */
async function restoreDump(file: string, place: PostgresPlace): Promise<void> {
  const version = await withClient(place, async (client) => {
    const { rows } = await client.query(
      "select current_setting('server_version_num')::int / 10000 as version",
    )
    return Number(rows[0].version)
  })
  const tool = await findTool('pg_restore', version)
  const folder = await mkdtemp(join(tmpdir(), 'holdfast-restore-'))
  try {
    const list = await runTool(tool, ['--list', file])
    const wanted = list
      .split('\n')
      .filter((line) => !/^\d+; \d+ \d+ (SCHEMA - public|COMMENT - SCHEMA public) /.test(line))
    const chosen = join(folder, 'list')
    await writeFile(chosen, wanted.join('\n'))
    await runTool(
      tool,
      [
        ...['--single-transaction', '--exit-on-error', '--no-owner', '--no-privileges'],
        ...[`--use-list=${chosen}`, `--dbname=${place.database}`, file],
      ],
      place,
    )
  } catch (cause) {
    throw new BackupError(
      `The dump was not restored to ${nameOf(place)}, which is as empty as before: ${(cause as Error).message}`,
      `${place.user} must be allowed to create in the schemas ${SCHEMAS.join(' and ')}.`,
      { cause },
    )
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}
