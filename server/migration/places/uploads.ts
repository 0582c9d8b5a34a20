import { createHash, randomUUID } from 'node:crypto'
import { mkdir, open, readdir, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { and, eq, isNull, lt, notInArray } from 'drizzle-orm'
import type { Store } from '@/db/store'
import { q, unit } from '@/db/unit'
import { appendAudit, type Caller, system } from '@/server/audit'
import type { Clock } from '@/server/clock'
import { HoldfastError } from '@/server/errors'

export interface UploadDeps {
  store: Store
  clock: Clock
  dataDir: string
  /** Largest file, in bytes. */
  uploadMax: number
}

export interface Upload {
  id: string
  name: string
  sizeBytes: number
  /** Of what was received, in hex. */
  sha256: string
  createdAt: number
}

export interface UploadRequest {
  name: string
  body: AsyncIterable<Uint8Array>
  /** Content-Length; what arrives must be exactly as long. */
  sizeBytes: number
  /** SHA-256 in hex as the sender computed it; null where its browser cannot. */
  sha256: string | null
}

const MAGIC = Buffer.from('SQLite format 3\0', 'latin1')
/** Files that no run uses are removed after a day. */
const KEPT_MS = 24 * 3_600_000

const folderOf = ({ dataDir }: { dataDir: string }) => join(dataDir, 'uploads')

export function uploadFile(deps: { dataDir: string }, id: string): string {
  return join(folderOf(deps), `${id}.sqlite`)
}

/**
 * Receives a SQLite file: streamed to disk, a piece at a time, so that memory stays flat and a slow disk slows
 * the sender. Throws TOO_LARGE, BAD_INPUT; nothing is left of a file that does not arrive whole.
 */
export async function receiveUpload(
  deps: UploadDeps,
  caller: Caller,
  request: UploadRequest,
): Promise<Upload> {
  if (request.sizeBytes > deps.uploadMax) throw tooLarge(deps.uploadMax)
  const id = randomUUID()
  await mkdir(folderOf(deps), { recursive: true, mode: 0o700 })
  const part = join(folderOf(deps), `${id}.part`)
  try {
    const sha256 = await writeBody(part, request)
    const upload = { id, name: request.name, sizeBytes: request.sizeBytes, sha256 }
    await rename(part, uploadFile(deps, id))
    const createdAt = deps.clock.now()
    await deps.store.run(keepUpload, { ...upload, createdAt, caller })
    return { ...upload, createdAt }
  } catch (error) {
    await Promise.all([rm(part, { force: true }), rm(uploadFile(deps, id), { force: true })])
    throw error
  }
}

/** Hashing goes along, 64 KB at a time: a tenth of a millisecond each, on data that is in the cache anyway. */
async function writeBody(file: string, { body, sizeBytes, sha256 }: UploadRequest): Promise<string> {
  const hash = createHash('sha256')
  const target = await open(file, 'wx', 0o600)
  let received = 0
  try {
    for await (const piece of body) {
      if (received === 0 && !startsLikeSqlite(piece)) throw notSqlite()
      received += piece.byteLength
      if (received > sizeBytes) throw wrongLength(received, sizeBytes)
      hash.update(piece)
      await target.write(piece)
    }
    if (received !== sizeBytes) throw wrongLength(received, sizeBytes)
    await target.sync()
  } finally {
    await target.close()
  }
  const found = hash.digest('hex')
  if (sha256 && sha256.toLowerCase() !== found) {
    throw new HoldfastError('CHECK_FAILED', {
      message: 'The file changed on its way: its SHA-256 is not the one that was sent along.',
      remedy: 'Upload it again.',
      details: { expected: sha256, received: found },
    })
  }
  return found
}

/** The upload with this id that is still there. Throws NOT_FOUND. */
export async function readUpload({ store }: Pick<UploadDeps, 'store'>, id: string): Promise<Upload> {
  const { uploads } = store.tables
  const [found] = await store.db
    .select()
    .from(uploads)
    .where(and(eq(uploads.id, id), isNull(uploads.deletedAt)))
  if (!found) {
    throw new HoldfastError('NOT_FOUND', {
      message: 'The uploaded file is gone.',
      remedy: 'Upload it again.',
    })
  }
  return found
}

/** Deletes an upload's file and notes it; one that is gone already is no error. */
export async function deleteUpload(deps: UploadDeps, id: string, caller: Caller): Promise<void> {
  // SQLite keeps two files beside one in WAL mode.
  for (const suffix of ['', '-wal', '-shm']) await rm(`${uploadFile(deps, id)}${suffix}`, { force: true })
  await deps.store.run(markDeleted, { id, at: deps.clock.now(), caller })
}

/** At start: removes half-received files, files that nobody knows, and uploads of a day ago that no run still needs. */
export async function removeStaleUploads(deps: UploadDeps): Promise<void> {
  const { uploads, migrationRuns } = deps.store.tables
  const needed = deps.store.db
    .select({ id: migrationRuns.source })
    .from(migrationRuns)
    .where(and(eq(migrationRuns.sourceKind, 'upload'), isNull(migrationRuns.endedAt)))
  const stale = await deps.store.db
    .select({ id: uploads.id })
    .from(uploads)
    .where(
      and(
        isNull(uploads.deletedAt),
        lt(uploads.createdAt, deps.clock.now() - KEPT_MS),
        notInArray(uploads.id, needed),
      ),
    )
  for (const { id } of stale) await deleteUpload(deps, id, system)
  const kept = await deps.store.db.select({ id: uploads.id }).from(uploads).where(isNull(uploads.deletedAt))
  const known = new Set(kept.map(({ id }) => id))
  const names = await readdir(folderOf(deps)).catch(() => [])
  await Promise.all(
    names
      .filter((name) => !known.has(name.replace(/\.sqlite(-wal|-shm)?$/, '')))
      .map((name) => rm(join(folderOf(deps), name), { force: true })),
  )
}

const keepUpload = unit('upload.keep', function* (tx, { caller, ...upload }: Upload & { caller: Caller }) {
  const createdBy = caller.actorId
  yield* q(tx.db.insert(tx.tables.uploads).values({ ...upload, createdBy }))
  const { id, name, sizeBytes, sha256 } = upload
  yield* appendAudit(tx, {
    ...caller,
    time: upload.createdAt,
    event: 'upload_complete',
    target: `upload:${id}`,
    outcome: 'success',
    after: { name, sizeBytes, sha256 },
  })
})

const markDeleted = unit(
  'upload.markDeleted',
  function* (tx, { id, at, caller }: { id: string; at: number; caller: Caller }) {
    const { uploads } = tx.tables
    const [gone] = yield* q(
      tx.db
        .update(uploads)
        .set({ deletedAt: at })
        .where(and(eq(uploads.id, id), isNull(uploads.deletedAt)))
        .returning({ name: uploads.name }),
    )
    if (!gone) return
    yield* appendAudit(tx, {
      ...{ ...caller, time: at, event: 'upload_delete', outcome: 'success', target: `upload:${id}` },
      before: gone,
    })
  },
)

function startsLikeSqlite(piece: Uint8Array): boolean {
  return MAGIC.equals(Buffer.from(piece.buffer, piece.byteOffset, Math.min(piece.byteLength, MAGIC.length)))
}

function notSqlite(): HoldfastError {
  return new HoldfastError('BAD_INPUT', {
    message: 'The file is not a SQLite database, or it is encrypted.',
    remedy: 'Choose a SQLite 3 file.',
  })
}

function tooLarge(most: number): HoldfastError {
  return new HoldfastError('TOO_LARGE', {
    message: `The file is larger than the limit of ${most} bytes.`,
    remedy:
      'Raise MIGRATION_UPLOAD_MAX, or put the file into a folder of MIGRATION_SOURCE_DIRS on the server.',
    details: { most },
  })
}

function wrongLength(received: number, announced: number): HoldfastError {
  return new HoldfastError('BAD_INPUT', {
    message: `The upload has ${received > announced ? 'more than' : received} of ${announced} bytes.`,
    remedy: 'Upload it again.',
  })
}
