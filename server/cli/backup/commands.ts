import { resolve } from 'node:path'
import { BackupError, createBackup, listBackups, pruneBackups, verifyBackup } from '@/server/backup'
import { systemClock } from '@/server/clock'
import { type Env, loadEnv } from '@/server/env'
import { openLog } from '@/server/log'
import {
  backupFolder,
  backupSource,
  keysAtHand,
  noteFailed,
  noteMade,
  restoreBackup,
} from '@/server/open-backup'
import { version } from '@/server/system/about'
import { type Command, help } from './arguments'
import { createdText, listText, restoredText, verifiedText } from './text'

/** Does what was asked for. Answers the exit status. */
export async function perform(command: Command): Promise<number> {
  if (command.name === 'help') {
    process.stdout.write(help)
    return 0
  }
  const env = loadEnv()
  switch (command.name) {
    case 'create':
      return create(env, command)
    case 'list':
      console.log(listText(await listBackups(folderOf(env, command.folder)), systemClock.now()))
      return 0
    case 'verify':
      return verify(env, command.path)
    case 'restore':
      return restore(env, command.path)
  }
}

const folderOf = (env: Env, folder: string | undefined) => (folder ? resolve(folder) : backupFolder(env))

async function create(
  env: Env,
  { folder: to, keep, withoutKey }: Command & { name: 'create' },
): Promise<number> {
  const log = openLog(env.LOG_LEVEL)
  const folder = folderOf(env, to)
  const source = backupSource(env)
  const clock = systemClock
  const backup = await createBackup({ clock }, source, {
    ...{ folder, version, withoutKey },
    passphrase: env.BACKUP_PASSPHRASE,
  }).catch(async (error: unknown) => {
    await noteFailed(env, log, source, error)
    throw error
  })
  const noted = await noteMade(env, log, backup)
  const { keyId } = backup.manifest
  const removed = keep === null ? [] : await pruneBackups({ clock }, folder, { keep, keyId })
  console.log(createdText(backup, { noted, removed, keyFrom: source.keyFrom, withoutKey }))
  return 0
}

async function verify(env: Env, given: string | undefined): Promise<number> {
  const path = given === undefined ? await newest(backupFolder(env)) : resolve(given)
  const verified = await verifyBackup(path, { passphrase: env.BACKUP_PASSPHRASE, keys: keysAtHand(env) })
  console.log(verifiedText(path, verified, systemClock.now()))
  return verified.good ? 0 : 1
}

async function newest(folder: string): Promise<string> {
  const [first] = (await listBackups(folder)).backups
  if (first) return first.path
  throw new BackupError(`There is no backup in ${folder}.`, 'npm run backup -- create makes one.')
}

async function restore(env: Env, path: string): Promise<number> {
  const restored = await restoreBackup(env, openLog(env.LOG_LEVEL), resolve(path))
  console.log(restoredText(restored))
  return restored.log.sound ? 0 : 1
}
