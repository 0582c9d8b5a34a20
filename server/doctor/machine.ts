import { accessSync, constants, existsSync, readFileSync, statfsSync, statSync } from 'node:fs'
import { connect } from 'node:net'
import { dirname, join } from 'node:path'
import type { Env } from '@/server/env'
import { checkpointFolder } from '@/server/open-audit'
import { version } from '@/server/system/about'
import { LITTLE_ROOM, NEXT_TO_NO_ROOM, roomInWords } from '@/server/system/bounds'
import type { Line } from './line'

/** Each client, event stream and connection is an open file. */
const FEW_FILES = 4096

/** The data folder: rights, room, and the key in it. */
export function examineDataFolder({ HOLDFAST_DATA_DIR: folder }: Env): Line[] {
  const title = 'Data folder'
  if (!existsSync(folder)) {
    const parent = existing(dirname(folder))
    return mayWrite(parent)
      ? [
          { title, state: 'ok', detail: `${folder} is not there yet: the first start makes it.` },
          room(parent),
        ]
      : [
          {
            ...{ title, state: 'problem', detail: `${folder} is not there, and this user may not make it.` },
            remedy: `Make it for the user who runs the console: install -d -m 700 -o USER ${folder}`,
          },
        ]
  }
  if (!statSync(folder).isDirectory() || !mayWrite(folder)) {
    return [
      {
        ...{ title, state: 'problem', detail: `${folder} is not a folder that this user may write to.` },
        remedy: `Give it to the user who runs the console: chown -R USER ${folder}. Or set HOLDFAST_DATA_DIR.`,
      },
    ]
  }
  const open = statSync(folder).mode & 0o077
  const rights: Line = open
    ? {
        ...{ title, state: 'warning', detail: `Other users of this machine may look into ${folder}.` },
        remedy: `chmod 700 ${folder}`,
      }
    : { title, state: 'ok', detail: `${folder} is this user's alone.` }
  return [rights, room(folder), ...key(folder)]
}

function key(folder: string): Line[] {
  const file = join(folder, 'master.key')
  const title = 'Master key'
  if (!existsSync(file)) return []
  if ((statSync(file).mode & 0o077) !== 0) {
    return [
      {
        ...{ title, state: 'problem', detail: `Other users of this machine may read ${file}.` },
        remedy: `chmod 600 ${file}, and set a new key if somebody may have: the old one goes into HOLDFAST_MASTER_KEYS_PREVIOUS.`,
      },
    ]
  }
  if (Buffer.from(readFileSync(file, 'utf8').trim(), 'base64').length === 32)
    return [{ title, state: 'ok', detail: `${file} holds a key that this user alone may read.` }]
  return [
    {
      ...{ title, state: 'problem', detail: `${file} does not hold a key of 32 bytes in base64.` },
      remedy: 'Restore it from a backup: without it, sealed secrets are lost.',
    },
  ]
}

function room(folder: string): Line {
  const title = 'Disk'
  const { bavail, bsize } = statfsSync(folder)
  const free = bavail * bsize
  const detail = `${roomInWords(free)} are free at ${folder}.`
  if (free >= LITTLE_ROOM) return { title, state: 'ok', detail }
  return {
    ...{ title, state: free < NEXT_TO_NO_ROOM ? 'problem' : 'warning', detail },
    remedy:
      'Make room: a full disk stops every write. Old backups may go (npm run backup -- create --keep 14).',
  }
}

/** The folder of the audit log's checkpoints. */
export function examineCheckpoints(env: Env): Line[] {
  const title = 'Checkpoints'
  const folder = checkpointFolder(env)
  if (mayWrite(existing(folder))) return [{ title, state: 'ok', detail: `${folder} can be written.` }]
  return [
    {
      ...{
        title,
        state: 'problem',
        detail: `This user may not write to ${folder}: nothing proves the audit log.`,
      },
      remedy: 'Change its owner, or set AUDIT_CHECKPOINT_DIR to another folder.',
    },
  ]
}

/** How many files a process may have open; Node takes all that it may. */
export function examineOpenFiles(): Line[] {
  const [, soft] = /^Max open files\s+(\S+)/m.exec(readFileSync('/proc/self/limits', 'utf8')) ?? []
  const title = 'Open files'
  const detail = `A process may have ${soft} files open.`
  if (soft === 'unlimited' || Number(soft) >= FEW_FILES) return [{ title, state: 'ok', detail }]
  return [
    {
      ...{ title, state: 'warning', detail },
      remedy: 'Raise it: LimitNOFILE=65536 in the systemd unit, or ulimit -n 65536 before the start.',
    },
  ]
}

/** Whether the port is free, or who answers there. */
export async function examinePort({ HOST, PORT }: Env): Promise<Line[]> {
  const title = 'Port'
  const host = HOST === '0.0.0.0' ? '127.0.0.1' : HOST === '::' ? '::1' : HOST
  const where = `${host.includes(':') ? `[${host}]` : host}:${PORT}`
  if (!(await isTaken(host, PORT))) return [{ title, state: 'ok', detail: `${where} is free.` }]
  const running = await whoAnswers(where)
  if (running === version) return [{ title, state: 'ok', detail: `This release serves at ${where}.` }]
  if (running) {
    return [
      {
        ...{
          title,
          state: 'warning',
          detail: `Holdfast ${running} serves at ${where}, and this is ${version}.`,
        },
        remedy: 'Restart the console to run this release.',
      },
    ]
  }
  return [
    {
      ...{ title, state: 'problem', detail: `Another program listens at ${where}.` },
      remedy: 'Stop it, or set PORT to another one.',
    },
  ]
}

function isTaken(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port, timeout: 2_000 })
    const end = (taken: boolean) => {
      socket.destroy()
      resolve(taken)
    }
    socket.on('connect', () => end(true))
    socket.on('error', () => end(false))
    socket.on('timeout', () => end(false))
  })
}

/** The release of the console that answers there; null for anybody else. */
async function whoAnswers(where: string): Promise<string | null> {
  try {
    const answer = await fetch(`http://${where}/api/openapi.json`, { signal: AbortSignal.timeout(5_000) })
    const { info } = (await answer.json()) as { info?: { title?: string; version?: string } }
    return info?.title?.startsWith('Holdfast') ? (info.version ?? null) : null
  } catch {
    return null
  }
}

/** The nearest folder above a path that is there. */
function existing(path: string): string {
  return existsSync(path) || path === dirname(path) ? path : existing(dirname(path))
}

function mayWrite(folder: string): boolean {
  try {
    accessSync(folder, constants.R_OK | constants.W_OK | constants.X_OK)
    return true
  } catch {
    return false
  }
}
