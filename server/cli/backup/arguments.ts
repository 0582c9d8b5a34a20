import { readArgs, UsageError } from '../common/usage'

export type Command =
  | { name: 'help' }
  | { name: 'create'; folder?: string; keep: number | null; withoutKey: boolean }
  | { name: 'list'; folder?: string }
  | { name: 'verify'; path?: string }
  | { name: 'restore'; path: string }

/** What each command takes beside its name. */
const TAKES: Record<string, { options: string[]; path: 'none' | 'may' | 'must' }> = {
  create: { options: ['folder', 'keep', 'without-key'], path: 'none' },
  list: { options: ['folder'], path: 'none' },
  verify: { options: [], path: 'may' },
  restore: { options: [], path: 'must' },
}

/** Reads the arguments of `npm run backup`. Throws a {@link UsageError}. */
export function parse(args: string[]): Command {
  const { values, positionals } = parseOptions(args)
  const { help, folder, keep, 'without-key': withoutKey = false } = values
  if (help) return { name: 'help' }
  const [name = '', path, ...more] = positionals
  const takes = Object.hasOwn(TAKES, name) ? TAKES[name] : undefined
  if (!takes) throw new UsageError('The commands are: create, verify, restore, list')
  const [strange] = Object.keys(values).filter((option) => !takes.options.includes(option))
  if (strange) throw new UsageError(`${name} takes no --${strange}`)
  if (more.length > 0 || (takes.path === 'none' && path !== undefined))
    throw new UsageError(`${name} does not take ${JSON.stringify(more[0] ?? path)}`)
  const to = folder === undefined ? {} : { folder }
  switch (name) {
    case 'create':
      return { name, ...to, keep: keep === undefined ? null : counted(keep), withoutKey }
    case 'list':
      return { name, ...to }
    case 'verify':
      return path === undefined ? { name } : { name, path }
    default:
      if (path === undefined) throw new UsageError('restore takes the folder of a backup')
      return { name: 'restore', path }
  }
}

function counted(keep: string): number {
  if (/^[1-9]\d{0,4}$/.test(keep)) return Number(keep)
  throw new UsageError('--keep takes a number of backups, 1 or more')
}

function parseOptions(args: string[]) {
  return readArgs({
    args,
    allowPositionals: true,
    options: {
      folder: { type: 'string' },
      keep: { type: 'string' },
      'without-key': { type: 'boolean' },
      help: { type: 'boolean', short: 'h' },
    },
  })
}

export const help = `Usage: npm run backup -- COMMAND

  create          Makes a backup in a folder of its own: the store (SQLite's online backup, or pg_dump),
                  the master key, the audit log's checkpoints, and a manifest with checksums.
                  --folder DIR    where to; BACKUP_DIR, or backups in the data folder, without it
                  --keep N        removes the oldest beyond N afterwards
                  --without-key   leaves the master key out: keep it elsewhere
  verify [PATH]   Looks whether a backup is whole: checksums, the copy of the store, its audit log.
                  Without PATH the newest one.
  restore PATH    Restores on an empty machine: data folder and database must hold nothing yet, and no
                  console may run. The audit log begins a new epoch, and everybody signs in anew.
  list            Lists the backups of a folder (--folder DIR), the newest first.

  BACKUP_PASSPHRASE=… npm run backup -- create --keep 14
  npm run backup -- verify
  BACKUP_PASSPHRASE=… npm run backup -- restore /mnt/backups/holdfast-20261129T030000Z-4f1c2a

The console may be running while a backup is made. With BACKUP_PASSPHRASE the master key is sealed in it; without, it
stands there in plain, and who reads the backup reads every secret in the store. docs/operations.md has a timer, the
restore drill and the upgrade guide.
Exit status: 0 done, 1 not done or not good (the reason is printed), 2 wrong arguments.
`
