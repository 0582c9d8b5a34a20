import type Database from 'better-sqlite3'
import type { PlannedTable } from '../types'
import { type Field, HEAD, RowEncoder, TAIL, type Way, wayOf } from './binary'
import type { ChunkReader } from './chunks'
import { LeafReader, leafPages, type PageFile, type StoredTable, storedTable } from './pages'
import type { Bounds } from './ranges'

/** Bytes of a chunk: written, sent and written over within a processor's caches. */
const CHUNK_BYTES = 256 * 1024
/** Longer rows are few, and SQLite's rendering writes them in pieces. */
const LONGEST_ROW = 1024 * 1024

/**
 * Reads a table's rows from the pages of the file and encodes them for a binary COPY; null where that is not plain
 * enough, and SQLite renders them. `file`: the pages of `db`, of which a read transaction is open. The reader throws
 * NotPlain for a range with a value that does not fit its column as it is (docs/decisions/0032).
 */
export function openPageReader(
  db: Database.Database,
  table: PlannedTable,
  file: () => PageFile | null,
): ChunkReader | null {
  const stored = storedTable(db, table.source)
  const fields = stored && fieldsOf(stored, table)
  const pages = fields && file()
  if (!fields || !pages) return null
  const { root } = stored
  const reader = new LeafReader(pages, 2 * LONGEST_ROW)
  const encoder = new RowEncoder(fields, CHUNK_BYTES + 2 * pages.size)
  /** Leaves that are still to be read, up to where, and what they go on after. */
  let leaves: number[] = []
  let until: number | undefined
  let after = 0

  const begin = (lo: number, hi: number) => {
    if (after === lo && until === hi) return
    leaves = leafPages(pages, root, lo, hi).reverse()
    until = hi
    after = lo
  }

  return {
    // A chunk is with the system before the next is written over it.
    copy: { format: 'binary', head: HEAD, tail: TAIL, ahead: 1 },
    next(bounds: Bounds) {
      const lo = bounds.lo ? Number(bounds.lo[0]) : -1
      const hi = bounds.hi ? Number(bounds.hi[0]) : Number.MAX_SAFE_INTEGER
      begin(lo, hi)
      let rows = 0
      const take = (bytes: Buffer, start: number, length: number, rowid: number) => {
        encoder.add(bytes, start, length, rowid)
        after = rowid
        rows++
      }
      try {
        while (encoder.length < CHUNK_BYTES && leaves.length > 0)
          reader.read(leaves.pop() as number, { lo, hi }, take)
      } catch (error) {
        until = undefined
        encoder.discard()
        throw error
      }
      return {
        data: rows === 0 ? null : encoder.take(),
        rows,
        position: leaves.length > 0 ? [BigInt(after)] : null,
      }
    },
    giveBack: () => encoder.giveBack(),
  }
}

function fieldsOf(stored: StoredTable, table: PlannedTable): Field[] | null {
  const { scan } = table
  if (scan.kind !== 'rowid' || BigInt(scan.min) < 0n) return null
  if (table.columns.reduce((sum, { evidence }) => sum + evidence.maxBytes, 0) > LONGEST_ROW) return null
  const fields = table.columns.map((column): Field | null => {
    const way: Way | null = wayOf(column)
    const index = stored.columns.findIndex(({ name }) => name === column.source)
    if (way === null || index < 0 || column.fits !== undefined || column.instead !== undefined) return null
    const isRowid = column.source.toLowerCase() === scan.name.toLowerCase()
    return {
      way,
      index: isRowid ? -1 : index,
      nullDefault: stored.columns[index]?.nullDefault === true,
      shape: column.evidence.shape,
    }
  })
  return fields.every((field) => field !== null) ? fields : null
}
