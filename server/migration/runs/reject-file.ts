import { appendFile, mkdir, open, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { RejectedRow } from '../types'

const BLOCK = 64 * 1024

/** A page of rejected rows. `next` is passed as `after` for the page behind it; null at the end. */
export interface RejectPage {
  items: RejectedRow[]
  total: number
  next: string | null
}

/** The reject files of a console's runs: a JSON object a line, readable by nobody but the console. */
export interface RejectFiles {
  /** Adds rows; `first` begins the file anew. */
  keep(runId: string, rows: readonly RejectedRow[], first?: boolean): Promise<void>
  /** `after`: where the page before ended, by its `next`. */
  page(runId: string, after: string | undefined, limit: number): Promise<RejectPage>
  count(runId: string): Promise<number>
  /** All rows with their positions, to compare both sides without them. */
  all(runId: string): Promise<RejectedRow[]>
  /** The file as it is downloaded; empty without rejects. */
  text(runId: string): Promise<string>
  remove(runId: string): Promise<void>
}

export function openRejectFiles(dataDir: string): RejectFiles {
  const folder = (runId: string) => join(dataDir, 'migrations', runId)
  const file = (runId: string) => join(folder(runId), 'rejects.ndjson')
  const remove = (runId: string) => rm(folder(runId), { recursive: true, force: true })

  /** Whole lines alone: the last may be cut short by a crash, or be on its way. */
  const text = async (runId: string) => {
    const all = await readFile(file(runId), 'utf8').catch(missing(''))
    return all.slice(0, all.lastIndexOf('\n') + 1)
  }

  const count = async (runId: string) => {
    let lines = 0
    for await (const { block } of blocksOf(file(runId), 0)) for (const byte of block) if (byte === 10) lines++
    return lines
  }

  return {
    async keep(runId, rows, first = false) {
      if (first && rows.length === 0) return remove(runId)
      await mkdir(folder(runId), { recursive: true, mode: 0o700 })
      const lines = rows.map((row) => `${JSON.stringify(row)}\n`).join('')
      if (!first) return appendFile(file(runId), lines, { mode: 0o600 })
      await writeFile(`${file(runId)}.new`, lines, { mode: 0o600 })
      await rename(`${file(runId)}.new`, file(runId))
    },
    async page(runId, after, limit) {
      const items: RejectedRow[] = []
      let end = /^\d{1,15}$/.test(after ?? '') ? Number(after) : 0
      let more = false
      for await (const { line, next } of linesOf(file(runId), end)) {
        more = items.length === limit
        if (more) break
        items.push(withoutPosition(JSON.parse(line) as RejectedRow))
        end = next
      }
      return { items, total: await count(runId), next: more ? String(end) : null }
    },
    count,
    async all(runId) {
      return (await text(runId))
        .split('\n')
        .flatMap((line) => (line ? [JSON.parse(line) as RejectedRow] : []))
    },
    text,
    remove,
  }
}

const withoutPosition = ({ position: _, ...row }: RejectedRow): RejectedRow => row

function missing<T>(value: T) {
  return (error: NodeJS.ErrnoException): T => {
    if (error.code === 'ENOENT') return value
    throw error
  }
}

async function* blocksOf(path: string, from: number): AsyncGenerator<{ block: Buffer; at: number }> {
  const handle = await open(path).catch(missing(null))
  if (!handle) return
  try {
    for (let at = from; ; ) {
      const { bytesRead, buffer } = await handle.read(Buffer.alloc(BLOCK), 0, BLOCK, at)
      if (bytesRead === 0) return
      yield { block: buffer.subarray(0, bytesRead), at }
      at += bytesRead
    }
  } finally {
    await handle.close()
  }
}

/** Lines from a byte on, each with the byte at which the next one begins. */
async function* linesOf(path: string, from: number): AsyncGenerator<{ line: string; next: number }> {
  let rest = Buffer.alloc(0)
  for await (const { block, at } of blocksOf(path, from)) {
    const begin = at - rest.length
    const data = Buffer.concat([rest, block])
    let start = 0
    for (let end = data.indexOf(10); end >= 0; end = data.indexOf(10, start)) {
      yield { line: data.toString('utf8', start, end), next: begin + end + 1 }
      start = end + 1
    }
    rest = data.subarray(start)
  }
}
