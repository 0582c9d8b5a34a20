import { errorStatus, HoldfastError, isHoldfastError } from '@/server/errors'
import { callerOf } from '@/server/trpc/caller'
import { type Context, createContext } from '@/server/trpc/context'
import { takeLimits } from '@/server/trpc/limited'
import { noteRefusal } from '@/server/trpc/noted-refusals'
import { permitted, refuseForeign } from '@/server/trpc/permit'
import { errorHeaders } from '@/server/trpc/problem'

/**
 * Receives a SQLite file as the request's body, streamed to disk. It stands outside the proxy's matcher, which
 * would hold the body in memory and cut it. Name in `?name=`, length in Content-Length, SHA-256 in
 * Content-Digest (RFC 9530) where the sender can compute it. Answers id, size and the SHA-256 that arrived.
 */
export async function POST(request: Request): Promise<Response> {
  const context = await createContext(request.headers)
  try {
    refuseForeign(context)
    await takeLimits(context, 'upload')
    permitted(context, 'migration:manage')
    const upload = await context.runtime.migration.receiveUpload(callerOf(context), {
      name: nameOf(request),
      body: bodyOf(request),
      sizeBytes: lengthOf(request),
      sha256: digestOf(request.headers.get('content-digest')),
    })
    return Response.json(upload, { status: 201, headers: { 'cache-control': 'no-store' } })
  } catch (error) {
    return problem(error, context)
  }
}

function nameOf(request: Request): string {
  const name = (new URL(request.url).searchParams.get('name') ?? '').replace(/^.*[/\\]/, '')
  if (!/^[^\p{Cc}\p{Cs}]{1,200}$/u.test(name)) throw new HoldfastError('BAD_INPUT', 'Give the file a name.')
  return name
}

function lengthOf(request: Request): number {
  const given = request.headers.get('content-length') ?? ''
  if (!/^\d{1,15}$/.test(given)) {
    throw new HoldfastError('BAD_INPUT', 'The request does not say how long the file is (Content-Length).')
  }
  return Number(given)
}

function bodyOf(request: Request): AsyncIterable<Uint8Array> {
  if (!request.body) throw new HoldfastError('BAD_INPUT', 'The request has no body.')
  return request.body as unknown as AsyncIterable<Uint8Array>
}

/** `sha-256=:BASE64:` to hex. Other algorithms are ignored, as RFC 9530 allows. */
function digestOf(header: string | null): string | null {
  const base64 = /(?:^|,)\s*sha-256=:([A-Za-z0-9+/=]+):/i.exec(header ?? '')?.[1]
  return base64 ? Buffer.from(base64, 'base64').toString('hex') : null
}

/** Problem details after RFC 9457. What nobody expected shows its request id alone. */
function problem(error: unknown, context: Context): Response {
  const { requestId, runtime } = context
  if (!isHoldfastError(error)) runtime.log.error({ requestId, error }, 'upload failed')
  const known = isHoldfastError(error)
    ? error
    : new HoldfastError('INTERNAL', {
        message: 'The upload failed.',
        remedy: 'Try again. If it stays, look for the request id in the log.',
      })
  noteRefusal(context, known, 'upload')
  const status = errorStatus[known.code]
  const { code, message, remedy, details } = known
  return new Response(
    JSON.stringify({ type: 'about:blank', title: message, status, code, remedy, requestId, details }),
    // The rest of a refused body is not read, so the connection cannot be used again.
    {
      status,
      headers: {
        'content-type': 'application/problem+json',
        'cache-control': 'no-store',
        ...errorHeaders([known]),
        connection: 'close',
      },
    },
  )
}
