/** Errors whose message is a sentence for the person who starts Holdfast. */
const READY = new Set([
  'AlreadyServedError',
  'ConfigurationError',
  'HoldfastError',
  'StoreIntegrityError',
  'StoreNewerError',
  'StoreOwnerError',
])

const FILE_REASONS: Record<string, string> = {
  EACCES: 'this user may not',
  EPERM: 'this user may not',
  EROFS: 'its file system is read-only',
  ENOTDIR: 'a part of its path is a file, not a folder',
  EEXIST: 'a file stands where the folder should be',
  ENOSPC: 'the disk is full',
  EDQUOT: 'the disk quota is used up',
}

/** One sentence (and a remedy, where there is one) for whatever stopped the start; a stack only for a defect. */
export function failureSentence(error: unknown): string {
  if (!(error instanceof Error)) return `Holdfast could not start: ${String(error)}`
  const { code, path, remedy } = error as NodeJS.ErrnoException & { remedy?: string }
  if (READY.has(error.name)) return remedy ? `${error.message} ${remedy}` : error.message
  const reason = code ? FILE_REASONS[code] : undefined
  if (reason)
    return `Holdfast cannot write to ${path ?? 'its data folder'}: ${reason}. Set HOLDFAST_DATA_DIR to another folder.`
  if (code === 'SQLITE_NOTADB' || code?.startsWith('SQLITE_CORRUPT')) {
    return 'The store in the data folder is damaged and was left as it is: restore a backup, or set HOLDFAST_DATA_DIR to another folder.'
  }
  return `Holdfast could not start: ${error.stack ?? error.message}`
}
