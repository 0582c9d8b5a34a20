import { closeSync, openSync, readSync, statSync } from 'node:fs'

/**
 * How many bytes are missing at the end of a database file, by its header (https://www.sqlite.org/fileformat.html).
 * SQLite itself reads what is missing of the last page as zeros, so that values change and no check notices. A file
 * whose last writes are in a log or journal beside it may be shorter: then nothing is known, which is 0.
 * Like every look at the bytes, only for a process that has the file not open by SQLite.
 */
export function missingBytes(file: string): number {
  // A writer may have been at work at the first look.
  return look(file) && look(file)
}

function look(file: string): number {
  const header = Buffer.alloc(100)
  const descriptor = openSync(file, 'r')
  try {
    if (readSync(descriptor, header, 0, 100, 0) < 100) return 100
  } finally {
    closeSync(descriptor)
  }
  const { size } = statSync(file)
  if (['-wal', '-journal'].some((suffix) => sizeOf(file + suffix) > 0)) return 0
  const given = header.readUInt16BE(16)
  const page = given === 1 ? 65_536 : given
  if (page < 512) return 0
  // The number of pages counts where the version that wrote it is the last one that wrote at all.
  const counted = header.readUInt32BE(24) === header.readUInt32BE(92) ? header.readUInt32BE(28) : 0
  return Math.max(0, (Math.ceil(size / page) || 1) * page - size, counted * page - size)
}

function sizeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0
}
