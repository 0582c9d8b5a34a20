import { openSync, readSync, realpathSync, statSync } from 'node:fs'
import type Database from 'better-sqlite3'

/**
 * Reading the table trees of a SQLite file page by page (https://www.sqlite.org/fileformat.html), without SQLite. The
 * caller holds a read transaction of a database that is wholly in its file.
 */
export interface PageFile {
  descriptor: number
  /** Bytes of a page, and how many of them hold content. */
  size: number
  usable: number
}

/** The file is not as this reader knows it, or holds what it leaves to SQLite. */
export class NotPlain extends Error {}

const TABLE_LEAF = 0x0d
const TABLE_INTERIOR = 0x05
/** Deeper trees don't exist: one of 20 levels has more pages than a file can have. */
const DEEPEST = 20

/**
 * Whether a database is wholly in its file: a write-ahead log that held anything would hold a part of it. As long as
 * the caller's read transaction lasts, nobody then writes to the file: with a rollback journal its shared lock forbids
 * it, and with an empty log a checkpoint waits for those who read the file alone (https://www.sqlite.org/wal.html, 2.2).
 */
export function isWholeFile(db: Database.Database): boolean {
  if (!db.inTransaction || db.memory) return false
  const log = statSync(`${realpathSync(db.name)}-wal`, { throwIfNoEntry: false })
  return !log || log.size === 0
}

/**
 * Opens a file a second time beside SQLite. The descriptor stays open until its thread ends: closing any descriptor of
 * a file drops all the locks that the process holds on it (https://www.sqlite.org/howtocorrupt.html, 2.2).
 */
export const openPages = (path: string): number => openSync(path, 'r')

/** How the file is made up now. */
export function pagesOf(descriptor: number): PageFile {
  const header = Buffer.alloc(100)
  readSync(descriptor, header, 0, 100, 0)
  // 65,536 doesn't fit the two bytes, and is written as 1.
  const size = header.readUInt16BE(16) === 1 ? 65_536 : header.readUInt16BE(16)
  return { descriptor, size, usable: size - header.readUInt8(20) }
}

/** A table whose columns all lie in the pages of its tree, in the order of its records. */
export interface StoredTable {
  root: number
  /** `nullDefault`: a record that ends before the column stands for NULL there. */
  columns: { name: string; nullDefault: boolean }[]
}

/** Null for a table that has no pages of its own (a virtual one), and for one that computes columns. */
export function storedTable(db: Database.Database, table: string): StoredTable | null {
  const root = db
    .prepare(`SELECT rootpage FROM sqlite_schema WHERE type = 'table' AND rootpage > 0 AND name = ?`)
    .pluck()
    .get(table) as number | undefined
  const columns = db
    .prepare('SELECT name, hidden, dflt_value IS NULL AS nulls FROM pragma_table_xinfo(?)')
    .all(table) as { name: string; hidden: number; nulls: number }[]
  if (root === undefined || columns.some(({ hidden }) => hidden !== 0)) return null
  return { root, columns: columns.map(({ name, nulls }) => ({ name, nullDefault: nulls === 1 })) }
}

/** A few pages in memory. Pages that are asked for in the file's order are read ahead of the asking. */
export class PageWindow {
  readonly bytes: Buffer
  readonly #file: PageFile
  readonly #most: number
  #first = 0
  #count = 0
  #ahead = 1

  constructor(file: PageFile, most: number) {
    this.#file = file
    this.#most = most
    this.bytes = Buffer.allocUnsafeSlow(most * file.size)
  }

  /** Where page `number` begins in `bytes`, until another page is asked for. */
  at(number: number): number {
    const { size, descriptor } = this.#file
    if (number < this.#first || number >= this.#first + this.#count) {
      if (number < 1) throw new NotPlain(`there is no page ${number}`)
      const next = number === this.#first + this.#count
      this.#ahead = next ? Math.min(this.#most, this.#ahead * 2) : 1
      const read = readSync(descriptor, this.bytes, 0, this.#ahead * size, (number - 1) * size)
      this.#first = number
      this.#count = Math.floor(read / size)
      if (this.#count < 1) throw new NotPlain(`page ${number} is not in the file`)
    }
    return (number - this.#first) * size
  }
}

/** An unsigned number of a varint; `next` is where it ends. */
export class Varint {
  next = 0

  read(bytes: Uint8Array, start: number): number {
    let at = start
    let value = 0
    for (let byte = bytes[at++] as number; ; byte = bytes[at++] as number) {
      value = value * 128 + (byte & 0x7f)
      if (byte < 0x80) break
      // The ninth byte of a varint has eight bits: such numbers, negative ones among them, are past 2^56.
      if (at - start === 8) throw new NotPlain('a number past 2^53')
    }
    if (value > Number.MAX_SAFE_INTEGER) throw new NotPlain('a number past 2^53')
    this.next = at
    return value
  }
}

/** Numbers of the leaf pages that hold a table's rows with lo < rowid ≤ hi, in the order of the rowid. */
export function leafPages(file: PageFile, root: number, lo: number, hi: number): number[] {
  const window = new PageWindow(file, 1)
  const varint = new Varint()
  const leaves: number[] = []
  const depth = depthOf(window, root)

  function collect(page: number, level: number): void {
    if (level === depth) {
      leaves.push(page)
      return
    }
    for (const child of children(page)) collect(child, level + 1)
  }

  /** Read at once, since the window moves on with the first child that is looked into. */
  function children(page: number): number[] {
    const { bytes } = window
    const at = window.at(page)
    if (bytes[at] !== TABLE_INTERIOR) throw new NotPlain(`page ${page} is no page of a table`)
    const found: number[] = []
    const cells = bytes.readUInt16BE(at + 3)
    for (let i = 0; i < cells; i++) {
      const cell = at + bytes.readUInt16BE(at + 12 + 2 * i)
      // The greatest rowid of the child.
      const key = varint.read(bytes, cell + 4)
      if (key > lo) found.push(bytes.readUInt32BE(cell))
      if (key >= hi) return found
    }
    found.push(bytes.readUInt32BE(at + 8))
    return found
  }

  collect(root, 0)
  return leaves
}

/** Levels above the leaves: all are equally deep. */
function depthOf(window: PageWindow, root: number): number {
  let page = root
  for (let level = 0; level < DEEPEST; level++) {
    const at = window.at(page)
    const type = window.bytes[at]
    if (type === TABLE_LEAF) return level
    if (type !== TABLE_INTERIOR) break
    page = window.bytes.readUInt32BE(at + 8)
  }
  throw new NotPlain(`page ${root} is not the root of a table`)
}

/** The records of leaf pages. */
export class LeafReader {
  readonly #file: PageFile
  readonly #leaves: PageWindow
  readonly #overflow: PageWindow
  readonly #varint = new Varint()
  readonly #longest: number
  /** A record that did not fit its page. */
  #whole = Buffer.alloc(0)

  /** Throws NotPlain for a record of more than `longest` bytes, which is held in memory as a whole. */
  constructor(file: PageFile, longest: number) {
    this.#file = file
    this.#longest = longest
    this.#leaves = new PageWindow(file, Math.max(1, Math.floor((256 * 1024) / file.size)))
    this.#overflow = new PageWindow(file, 1)
  }

  /** Calls `take` for each row with lo < rowid ≤ hi; the record is `length` bytes from `start`, and valid until it returns. */
  read(
    page: number,
    { lo, hi }: { lo: number; hi: number },
    take: (bytes: Buffer, start: number, length: number, rowid: number) => void,
  ): void {
    const { bytes } = this.#leaves
    const at = this.#leaves.at(page)
    const varint = this.#varint
    if (bytes[at] !== TABLE_LEAF) throw new NotPlain(`page ${page} is no leaf of a table`)
    const cells = ((bytes[at + 3] as number) << 8) | (bytes[at + 4] as number)
    const fitting = this.#file.usable - 35
    for (let i = 0; i < cells; i++) {
      const pointer = at + 8 + 2 * i
      const cell = at + (((bytes[pointer] as number) << 8) | (bytes[pointer + 1] as number))
      const length = varint.read(bytes, cell)
      const rowid = varint.read(bytes, varint.next)
      if (rowid <= lo) continue
      if (rowid > hi) return
      if (length <= fitting) take(bytes, varint.next, length, rowid)
      else if (length > this.#longest) throw new NotPlain('a long row')
      else {
        this.#gather(bytes, varint.next, length)
        take(this.#whole, 0, length, rowid)
      }
    }
  }

  /** Puts a record together from its page and the chain of pages that it goes on in. */
  #gather(bytes: Buffer, start: number, length: number): void {
    const { usable } = this.#file
    const least = Math.floor(((usable - 12) * 32) / 255) - 23
    const some = least + ((length - least) % (usable - 4))
    const local = some <= usable - 35 ? some : least
    if (this.#whole.length < length) this.#whole = Buffer.allocUnsafeSlow(length * 2)
    bytes.copy(this.#whole, 0, start, start + local)
    let next = bytes.readUInt32BE(start + local)
    for (let filled = local; filled < length; ) {
      const at = this.#overflow.at(next)
      const piece = Math.min(usable - 4, length - filled)
      this.#overflow.bytes.copy(this.#whole, filled, at + 4, at + 4 + piece)
      filled += piece
      next = this.#overflow.bytes.readUInt32BE(at)
    }
  }
}
