import { type FileHandle, open, opendir, realpath, stat } from 'node:fs/promises'
import { basename, join, relative, sep } from 'node:path'
import { HoldfastError } from '@/server/errors'
import { readUpload, type UploadDeps, uploadFile } from './uploads'

/** How a source is named by a client: never by a path outside the allowed folders. */
export type SourceRef = { kind: 'store' } | { kind: 'folder'; path: string } | { kind: 'upload'; id: string }

/** A SQLite file that may be migrated. */
export interface SourceFile {
  /** Absolute path with every symbolic link followed. */
  path: string
  /** Below its allowed folder. */
  name: string
  folder: string
  sizeBytes: number
  modifiedAt: number
}

export interface SourceList {
  /** The console's own store; null once it is on PostgreSQL. */
  store: { path: string; sizeBytes: number; modifiedAt: number } | null
  files: SourceFile[]
  /** Allowed folders, and why one can't be read. */
  folders: { path: string; problem: string | null }[]
  /** There were more files or folders than are looked through. */
  cut: boolean
}

/** First 16 bytes of every SQLite 3 file (SQLite manual, "Database File Format"). */
const MAGIC = 'SQLite format 3\0'
const MOST_FILES = 500
const MOST_ENTRIES = 20_000
const DEEPEST = 4

interface Place {
  sourceDirs: string[]
  storeFile: string | null
}

/** Everything that can be migrated: own store and the SQLite files below the allowed folders, largest first. */
export async function listSources({ sourceDirs, storeFile }: Place): Promise<SourceList> {
  const walk: Walk = { files: new Map(), entries: 0, cut: false }
  const folders: SourceList['folders'] = []
  for (const folder of sourceDirs) {
    try {
      await collect(walk, await realpath(folder), '', DEEPEST)
      folders.push({ path: folder, problem: null })
    } catch (error) {
      folders.push({ path: folder, problem: reasonOf(error) })
    }
  }
  return {
    store: storeFile ? { path: storeFile, ...(await sizeOf(storeFile)) } : null,
    files: [...walk.files.values()].sort((a, b) => b.sizeBytes - a.sizeBytes),
    folders,
    cut: walk.cut,
  }
}

/** The file behind a reference, and the name shown for it. Throws FORBIDDEN, NOT_FOUND or BAD_INPUT. */
export async function resolveSource(
  deps: UploadDeps,
  { sourceDirs, storeFile }: Place,
  ref: SourceRef,
): Promise<{ path: string; name: string }> {
  if (ref.kind === 'store') {
    if (!storeFile) throw new HoldfastError('CONFLICT', 'The console is on PostgreSQL already.')
    return { path: storeFile, name: 'Console store' }
  }
  if (ref.kind === 'upload') {
    const upload = await readUpload(deps, ref.id)
    return { path: uploadFile(deps, ref.id), name: upload.name }
  }
  const path = await allowedFile(sourceDirs, ref.path)
  return { path, name: basename(path) }
}

/** The real path of a SQLite file, if it lies in an allowed folder after following every link. */
export async function allowedFile(sourceDirs: string[], path: string): Promise<string> {
  const folders = await Promise.all(sourceDirs.map((folder) => realpath(folder).catch(() => null)))
  const real = await realpath(path).catch((error: unknown) => {
    throw new HoldfastError('NOT_FOUND', {
      message: `${path} cannot be opened: ${reasonOf(error)}.`,
      remedy: 'Reload the list of sources.',
    })
  })
  if (!folders.some((folder) => folder !== null && real.startsWith(folder + sep))) {
    throw new HoldfastError('FORBIDDEN', {
      message: `${path} is not in a folder that may be migrated from.`,
      remedy: 'Move the file there, or add its folder to MIGRATION_SOURCE_DIRS.',
    })
  }
  if (!(await hasHeader(real))) {
    throw new HoldfastError('BAD_INPUT', {
      message: `${path} is not a SQLite database, or it is encrypted.`,
      remedy: 'Choose a SQLite 3 file.',
    })
  }
  return real
}

/** With its write-ahead log, where the newest rows may still be. */
async function sizeOf(path: string): Promise<{ sizeBytes: number; modifiedAt: number }> {
  const [file, wal] = await Promise.all([stat(path), stat(`${path}-wal`).catch(() => null)])
  return {
    sizeBytes: file.size + (wal?.size ?? 0),
    modifiedAt: Math.max(file.mtimeMs, wal?.mtimeMs ?? 0),
  }
}

interface Walk {
  files: Map<string, SourceFile>
  entries: number
  cut: boolean
}

/** Symbolic links are not followed: a link out of the folder would lead anywhere, one inside is listed as its file. */
async function collect(walk: Walk, folder: string, below: string, depth: number): Promise<void> {
  for await (const entry of await opendir(join(folder, below))) {
    if (++walk.entries > MOST_ENTRIES || walk.files.size >= MOST_FILES) {
      walk.cut = true
      return
    }
    const name = join(below, entry.name)
    if (entry.isDirectory() && depth > 0) await collect(walk, folder, name, depth - 1).catch(() => {})
    if (!entry.isFile()) continue
    const path = join(folder, name)
    const file = await stat(path).catch(() => null)
    if (!file || file.size < MAGIC.length || !(await hasHeader(path).catch(() => false))) continue
    walk.files.set(path, {
      path,
      name: relative(folder, path),
      folder,
      sizeBytes: file.size,
      modifiedAt: file.mtimeMs,
    })
  }
}

/** Never called on the store's own open file: closing a descriptor of it would drop the process's SQLite locks. */
async function hasHeader(path: string): Promise<boolean> {
  let file: FileHandle | undefined
  try {
    file = await open(path, 'r')
    if (!(await file.stat()).isFile()) return false
    const head = Buffer.alloc(MAGIC.length)
    await file.read(head, 0, MAGIC.length, 0)
    return head.toString('latin1') === MAGIC
  } finally {
    await file?.close()
  }
}

function reasonOf(error: unknown): string {
  const code = (error as NodeJS.ErrnoException).code
  const known: Record<string, string> = {
    ENOENT: 'it does not exist',
    EACCES: 'this user may not read it',
    ENOTDIR: 'it is not a folder',
    ELOOP: 'its links go round in a circle',
  }
  return known[code ?? ''] ?? `error ${code}`
}
