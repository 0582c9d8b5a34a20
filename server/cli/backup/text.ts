import type { Backup, listBackups, VerifiedBackup } from '@/server/backup'
import type { Restored } from '@/server/open-backup'

const moment = (time: number) => new Date(time).toISOString()

function size(bytes: number): string {
  const units = ['B', 'KB', 'MB', 'GB', 'TB']
  let [value, at] = [bytes, 0]
  while (value >= 1024 && at < units.length - 1) [value, at] = [value / 1024, at + 1]
  return `${value.toFixed(value < 10 && at > 0 ? 1 : 0)} ${units[at]}`
}

function age(ms: number): string {
  const minutes = Math.round(ms / 60_000)
  if (minutes < 120) return `${minutes} min`
  return minutes < 48 * 60 ? `${Math.round(minutes / 60)} h` : `${Math.round(minutes / 1440)} d`
}

const STORES = { sqlite: 'SQLite', postgresql: 'PostgreSQL' } as const

interface Made {
  noted: boolean
  removed: string[]
  keyFrom: 'file' | 'environment'
  withoutKey: boolean
}

/** What a new backup says, for a terminal. */
export function createdText(
  { path, manifest, bytes }: Backup,
  { noted, removed, keyFrom, withoutKey }: Made,
): string {
  const { dialect, audit, key } = manifest
  return lines([
    path,
    `${STORES[dialect]}, ${size(bytes)}, the audit log up to #${audit?.seq ?? 0}.`,
    key === 'sealed' && 'The master key is in it, sealed with BACKUP_PASSPHRASE: keep that elsewhere.',
    key === 'plain' &&
      'Warning: the master key stands in it in plain: who reads this backup reads every secret of the store. Set BACKUP_PASSPHRASE, or use --without-key.',
    key === 'none' &&
      (withoutKey || keyFrom === 'file'
        ? `The master key is not in it: keep ${manifest.keyId} elsewhere, since nobody can restore without.`
        : `HOLDFAST_MASTER_KEY is not in it: keep that key elsewhere, since nobody can restore without, or set BACKUP_PASSPHRASE to have it sealed in.`),
    !noted && 'The store is of another release, and was left as it is: its log does not tell of this backup.',
    removed.length > 0 && `Removed: ${removed.join(', ')}`,
  ])
}

/** What the backups of a folder say, for a terminal. */
export function listText(
  { backups, unreadable }: Awaited<ReturnType<typeof listBackups>>,
  now: number,
): string {
  if (backups.length + unreadable.length === 0) return 'There is no backup.'
  const rows = [
    ['MADE', 'AGE', 'STORE', 'SIZE', 'KEY', 'LOG', 'PATH'],
    ...backups.map(({ path, manifest, bytes }) => [
      moment(manifest.at),
      age(now - manifest.at),
      STORES[manifest.dialect],
      size(bytes),
      manifest.key,
      `#${manifest.audit?.seq ?? 0}`,
      path,
    ]),
  ]
  const widths = rows[0]?.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0))) ?? []
  const table = rows.map((row) =>
    row
      .map((cell, at) => cell.padEnd(widths[at] ?? 0))
      .join('  ')
      .trimEnd(),
  )
  return lines([
    ...table,
    ...unreadable.map((path) => `${path} is damaged: it has no manifest that can be read.`),
  ])
}

const MARKS = { ok: 'ok      ', warning: 'warning ', failed: 'FAILED  ' } as const

/** What a verification says, for a terminal. */
export function verifiedText(path: string, { manifest, checks, good }: VerifiedBackup, now: number): string {
  return lines([
    `${path}, made ${age(now - manifest.at)} ago by Holdfast ${manifest.version}`,
    ...checks.map(({ state, detail }) => `${MARKS[state]}${detail}`),
    good ? 'Good: it can be restored.' : 'Not good: do not count on this backup.',
  ])
}

/** What a restore says, for a terminal. */
export function restoredText({ backup, place, epoch, sessions, log, previousKeys }: Restored): string {
  return lines([
    `Restored to ${place}: the store of ${moment(backup.manifest.at)}.`,
    `The audit log goes on in epoch ${epoch}. ${sessions} ${sessions === 1 ? 'session was' : 'sessions were'} ended; everybody signs in anew.`,
    log.sound
      ? `The audit log is sound: ${log.rows} events.`
      : 'The audit log does not verify: npm run audit -- verify tells what was changed.',
    previousKeys !== null &&
      `Earlier master keys still open what they sealed: set HOLDFAST_MASTER_KEYS_PREVIOUS to what stands in ${previousKeys}.`,
    'Start the console. What was revoked after the backup (API keys, users, roles) is valid again: look it through.',
  ])
}

const lines = (all: (string | false)[]) => all.filter((line) => line !== false).join('\n')
