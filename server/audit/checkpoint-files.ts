import { randomUUID } from 'node:crypto'
import { constants } from 'node:fs'
import { type FileHandle, mkdir, open, readdir, readFile, rename, rm } from 'node:fs/promises'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { type Checkpoint, checkpointLine, parseCheckpoint } from './checkpoint'
import { thinned } from './thinning'

/** What the checkpoint files of a folder hold. */
export interface ReadCheckpoints {
  /** Each once, in the order in which they were signed. */
  checkpoints: Checkpoint[]
  /** Lines that are no checkpoint. A line that a crash cut off is none of them. */
  unreadable: { file: string; line: number }[]
}

const THINNED = 'thinned.ndjson'
const dayOf = (time: number) => new Date(time).toISOString().slice(0, 10)

/**
 * A folder of checkpoint files outside of the store, one a host and day, so that instances may share it or not:
 * a line is appended by one write, and a file that is written to is never rewritten.
 */
export class CheckpointFiles {
  readonly folder: string
  readonly #host =
    hostname()
      .replace(/[^A-Za-z0-9-]/g, '_')
      .slice(0, 60) || 'host'

  constructor(folder: string) {
    this.folder = folder
  }

  /** Appends a checkpoint, and answers when it is on the disk. */
  async append(checkpoint: Checkpoint): Promise<void> {
    await mkdir(this.folder, { recursive: true, mode: 0o700 })
    const name = join(this.folder, `${dayOf(checkpoint.time)}.${this.#host}.ndjson`)
    const file = await open(name, constants.O_RDWR | constants.O_APPEND | constants.O_CREAT, 0o600)
    try {
      const { size } = await file.stat()
      const torn = size > 0 && (await lastByte(file, size)) !== 0x0a
      await file.appendFile(`${torn ? '\n' : ''}${checkpointLine(checkpoint)}\n`)
      await file.datasync()
      if (size === 0) await syncFolder(this.folder)
    } finally {
      await file.close()
    }
  }

  /** Reads every file of the folder. */
  async read(): Promise<ReadCheckpoints> {
    return this.#readFiles(await this.#names())
  }

  /** All of them as text, one a line. */
  async text(): Promise<string> {
    return (await this.read()).checkpoints.map((checkpoint) => `${checkpointLine(checkpoint)}\n`).join('')
  }

  /**
   * Thins out what is older than two days, into one file. Several processes may do so at once: files of days are
   * read first, and the thinned one, to which they go, after them.
   */
  async thin(now: number): Promise<void> {
    const edge = dayOf(now - 2 * 86_400_000)
    const old = (await this.#names()).filter((name) => name !== THINNED && name.slice(0, 10) < edge)
    if (old.length === 0) return
    const days = await this.#readFiles(old)
    // What can't be read stays where somebody may look at it.
    if (days.unreadable.length > 0) return
    const before = await this.#readFiles([THINNED])
    if (before.unreadable.length > 0) return
    const kept = thinned(inOrder([...before.checkpoints, ...days.checkpoints]))
    const draft = join(this.folder, `.${THINNED}.${randomUUID()}`)
    const file = await open(draft, 'w', 0o600)
    try {
      await file.writeFile(kept.map((checkpoint) => `${checkpointLine(checkpoint)}\n`).join(''))
      await file.sync()
    } finally {
      await file.close()
    }
    await rename(draft, join(this.folder, THINNED))
    await syncFolder(this.folder)
    for (const name of old) await rm(join(this.folder, name), { force: true })
  }

  async #names(): Promise<string[]> {
    const names = await readdir(this.folder).catch(noneIfMissing)
    // The thinned file last: what another process moves into it meanwhile is found there.
    return names
      .filter((name) => name.endsWith('.ndjson') && !name.startsWith('.') && name !== THINNED)
      .sort()
      .concat(THINNED)
  }

  async #readFiles(names: string[]): Promise<ReadCheckpoints> {
    const all: Checkpoint[] = []
    const unreadable: ReadCheckpoints['unreadable'] = []
    for (const name of names) {
      const content = await readFile(join(this.folder, name), 'utf8').catch(noneIfMissing)
      const read = parseCheckpoints(String(content))
      all.push(...read.checkpoints)
      unreadable.push(...read.unreadable.map((line) => ({ file: name, line })))
    }
    return { checkpoints: inOrder(all), unreadable }
  }
}

/** Reads lines of checkpoints; answers the numbers of those that are none, from 1. */
export function parseCheckpoints(content: string): { checkpoints: Checkpoint[]; unreadable: number[] } {
  const checkpoints: Checkpoint[] = []
  const unreadable: number[] = []
  for (const [at, line] of content.split('\n').entries()) {
    const checkpoint = parseCheckpoint(line)
    if (checkpoint) checkpoints.push(checkpoint)
    else if (line.trim() !== '' && !isTorn(line)) unreadable.push(at + 1)
  }
  return { checkpoints, unreadable }
}

/** A crash leaves the beginning of a line. */
const isTorn = (line: string) => line.startsWith('{"epoch":'.slice(0, line.length)) && !line.includes('}')

/** In the order of signing, each once. */
function inOrder(checkpoints: Checkpoint[]): Checkpoint[] {
  const once = new Map(checkpoints.map((checkpoint) => [checkpoint.signature, checkpoint]))
  return [...once.values()].sort((a, b) => a.time - b.time || a.epoch - b.epoch || a.seq - b.seq)
}

async function lastByte(file: FileHandle, size: number): Promise<number | undefined> {
  const { buffer } = await file.read(Buffer.alloc(1), 0, 1, size - 1)
  return buffer[0]
}

async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

function noneIfMissing(error: { code?: string }): never[] {
  if (error.code === 'ENOENT') return []
  throw error
}
