/** What the upload route answers. */
export interface UploadedFile {
  id: string
  name: string
  sizeBytes: number
  sha256: string
}

/** An answer of the upload route that is no success, in the form in which procedures fail. */
export class UploadError extends Error {
  override name = 'UploadError'
  readonly data: { code: string; requestId: string | null; remedy: string | null }

  constructor(message: string, data: UploadError['data']) {
    super(message)
    this.data = data
  }
}

/** A file up to this size is hashed here first: the whole of it has to be in memory for that. */
const MOST_HASHED_BYTES = 256 * 2 ** 20

/** SHA-256 for Content-Digest (RFC 9530); null where the browser withholds it (plain http) or the file is large. */
async function digestOf(file: File): Promise<string | null> {
  if (!globalThis.crypto?.subtle || file.size > MOST_HASHED_BYTES) return null
  const hash = await crypto.subtle.digest('SHA-256', await file.arrayBuffer())
  return btoa(String.fromCharCode(...new Uint8Array(hash)))
}

/** Sends a file; `fetch` tells nothing of how much has gone, so this is an XMLHttpRequest. Aborting rejects. */
export async function upload(
  file: File,
  { signal, onProgress }: { signal: AbortSignal; onProgress: (sent: number) => void },
): Promise<UploadedFile> {
  const digest = await digestOf(file)
  signal.throwIfAborted()
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest()
    request.open('POST', `/api/upload?name=${encodeURIComponent(file.name)}`)
    request.setRequestHeader('content-type', 'application/octet-stream')
    if (digest) request.setRequestHeader('content-digest', `sha-256=:${digest}:`)
    request.upload.onprogress = ({ loaded }) => onProgress(loaded)
    request.onload = () => {
      if (request.status === 201) resolve(JSON.parse(request.responseText) as UploadedFile)
      else reject(problemOf(request.responseText))
    }
    request.onerror = () =>
      reject(
        new UploadError('The connection broke off.', {
          code: 'NETWORK',
          requestId: null,
          remedy: 'Try again.',
        }),
      )
    request.onabort = () => reject(signal.reason)
    signal.addEventListener('abort', () => request.abort(), { once: true })
    request.send(file)
  })
}

/** Problem details after RFC 9457, as the route sends them. */
function problemOf(text: string): UploadError {
  try {
    const { title, code, requestId, remedy } = JSON.parse(text) as Record<string, string | undefined>
    return new UploadError(title ?? 'The upload failed.', {
      code: code ?? 'INTERNAL',
      requestId: requestId ?? null,
      remedy: remedy ?? null,
    })
  } catch {
    return new UploadError('The upload failed.', { code: 'INTERNAL', requestId: null, remedy: 'Try again.' })
  }
}
