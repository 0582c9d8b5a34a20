import { createReadStream, readdirSync, readFileSync, statSync } from 'node:fs'
import { basename, join } from 'node:path'
import { createInterface } from 'node:readline'
import { type Audit, auditKeys, openEpochs, readPublicKeys, system, verifyExport } from '@/server/audit'
import { systemClock } from '@/server/clock'
import { loadEnv } from '@/server/env'
import { type Log, openLog } from '@/server/log'
import { openConsoleAudit } from '@/server/open-audit'
import { openStore } from '@/server/open-store'
import { UsageError } from '../common/usage'
import { type Command, help } from './arguments'
import { exportText, restoredText, verificationText } from './text'

const by = { ...system, actor: 'command line' }

/** Does what was asked for. Answers the exit status. */
export async function perform(command: Command): Promise<number> {
  switch (command.name) {
    case 'help':
      process.stdout.write(help)
      return 0
    case 'verify':
      return withAudit(verify)
    case 'verify export':
      return verifyFile(command)
    case 'public-key':
      return withAudit(async (audit) => {
        for (const { pem } of audit.publicKeys()) process.stdout.write(pem)
        return 0
      })
    case 'restored':
      return withAudit((audit, parts) => restored(audit, parts, command))
    case 'checkpoints':
      return withAudit(async (audit) => {
        process.stdout.write(await audit.checkpointFile())
        return 0
      })
  }
}

/** What a command works with, beside the audit itself. */
type Parts = Pick<Awaited<ReturnType<typeof openStore>>, 'store' | 'vault'> & { log: Log }

async function withAudit(work: (audit: Audit, parts: Parts) => Promise<number>): Promise<number> {
  const env = loadEnv()
  const log = openLog(env.LOG_LEVEL)
  const { store, vault, database } = await openStore(env, log, { serving: false })
  try {
    const deps = { store, vault, clock: systemClock, log, database: () => database }
    return await work(openConsoleAudit(env, deps), { store, vault, log })
  } finally {
    await database.close()
  }
}

async function verify(audit: Audit): Promise<number> {
  const progress = showProgress()
  const result = await audit.verifyHere(by, progress.show)
  progress.end()
  console.log(verificationText(result, systemClock.now()))
  // What this command has noted in the log is signed, too: a console that would do so may not run.
  await audit.checkpoint()
  return result.sound ? 0 : 1
}

/** The machine's own word for it: who holds the master key needs no factor. */
async function restored(
  audit: Audit,
  { store, vault, log }: Parts,
  { reason }: Command & { name: 'restored' },
): Promise<number> {
  const { publicKeys } = auditKeys(vault)
  const epochs = openEpochs({
    ...{ store, clock: systemClock, log, publicKeys, checkpoints: () => audit.checkpoints() },
  })
  const done = await epochs.restored({ reason }, { by, grantId: null, machine: true })
  console.log(restoredText(done))
  await audit.checkpoint()
  return 0
}

async function verifyFile({
  file,
  publicKey,
  checkpoints,
  filtered,
}: Command & { name: 'verify export' }): Promise<number> {
  const publicKeys = keysOf(publicKey)
  const files = checkpoints
    .flatMap(filesOf)
    .map((path) => ({ name: basename(path), content: contentOf(path) }))
  if (!isFile(file)) throw new UsageError(`There is no file ${file}`)
  const lines = createInterface({ input: createReadStream(file), crlfDelay: Number.POSITIVE_INFINITY })
  const result = await verifyExport({ lines, checkpoints: files, publicKeys, filtered })
  console.log(exportText(result, filtered))
  return result.sound ? 0 : 1
}

function keysOf(file: string) {
  const content = contentOf(file)
  try {
    return readPublicKeys(content)
  } catch {
    throw new UsageError(`${file} holds no Ed25519 public key in PEM`)
  }
}

/** The file, or the checkpoint files of the folder. */
function filesOf(path: string): string[] {
  if (isFile(path)) return [path]
  try {
    const names = readdirSync(path).filter((name) => name.endsWith('.ndjson') && !name.startsWith('.'))
    return names.sort().map((name) => join(path, name))
  } catch {
    throw new UsageError(`There is no file ${path}`)
  }
}

function isFile(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isFile() === true
}

function contentOf(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    throw new UsageError(`The file ${path} cannot be read`)
  }
}

/** How far it is, on a terminal alone. */
function showProgress() {
  const { stderr } = process
  let shown = Number.NEGATIVE_INFINITY
  return {
    show(rows: number, last: number) {
      const now = performance.now()
      if (!stderr.isTTY || now - shown < 200) return
      shown = now
      stderr.write(`\r${rows.toLocaleString('en-US')} of ${last.toLocaleString('en-US')}`)
    },
    end() {
      if (stderr.isTTY) stderr.write('\r\u001b[K')
    },
  }
}
