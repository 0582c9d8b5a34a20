import { randomUUID } from 'node:crypto'
import { getTRPCErrorFromUnknown } from '@trpc/server'
import { z } from 'zod'
import { HoldfastError } from '@/server/errors'
import { callerOf } from '@/server/trpc/caller'
import { type Context, createContext } from '@/server/trpc/context'
import { translate } from '@/server/trpc/init'
import { permitted } from '@/server/trpc/permit'
import { problem } from '@/server/trpc/problem'
import { eventFilter } from './event-filter'

const exportInput = eventFilter({ format: z.enum(['ndjson', 'csv']) })

/**
 * Answers a file of the events that the query's filter means, as it is read. It ends when the client is gone, the
 * process stops, or the session ends or may no longer read the log.
 */
export async function exportEvents(request: Request): Promise<Response> {
  const headers = new Headers(request.headers)
  const requestId = headers.get('x-request-id') ?? randomUUID()
  headers.set('x-request-id', requestId)
  let context: Context | undefined
  try {
    context = await createContext(headers)
    return await answer(request, context)
  } catch (error) {
    const known = translate(getTRPCErrorFromUnknown(error))
    if (known.code === 'INTERNAL') context?.runtime.log.error({ requestId, error }, 'export failed')
    return problem(known, requestId)
  }
}

async function answer(request: Request, context: Context): Promise<Response> {
  const { runtime } = context
  const session = permitted(context, 'security:read')
  // A link on another site would make a file on the user's disk, and an event in the user's name.
  if (request.headers.get('sec-fetch-site') === 'cross-site') {
    throw new HoldfastError('BAD_ORIGIN', 'The request came from another site.')
  }
  const { format, ...filter } = exportInput.parse(queryOf(request))
  const ended = new AbortController()
  const unwatch = runtime.security.watch(session.sessionId, (change) => {
    if (change.ended || !change.permissions.includes('security:read')) ended.abort()
  })
  const signal = AbortSignal.any([request.signal, runtime.shutdown, ended.signal])
  try {
    const file = await runtime.security.export({ format, filter }, callerOf(context), signal)
    const body = streamOf(file.pieces, unwatch, (error) => {
      if (!signal.aborted)
        runtime.log.error({ requestId: context.requestId, error }, 'an export ended before its time')
    })
    return new Response(body, {
      headers: {
        'content-type': file.contentType,
        'content-disposition': `attachment; filename="${file.fileName}"`,
        // Compressing it on the way would cost more time than reading it.
        'cache-control': 'no-store, no-transform',
        'x-content-type-options': 'nosniff',
      },
    })
  } catch (error) {
    unwatch()
    throw error
  }
}

/** Numbers are read as such; everything else is left to the schema. A name that comes twice fits none. */
function queryOf(request: Request): Record<string, unknown> {
  const { searchParams } = new URL(request.url)
  return Object.fromEntries(
    [...new Set(searchParams.keys())].map((name) => {
      const [value = '', ...more] = searchParams.getAll(name)
      if (more.length > 0) return [name, [value, ...more]]
      return [name, /^(from|to)$/.test(name) && /^\d{1,16}$/.test(value) ? Number(value) : value]
    }),
  )
}

/** A body that asks for the next piece when the client has taken the one before. */
function streamOf(
  pieces: AsyncGenerator<string>,
  over: () => void,
  failed: (error: unknown) => void,
): ReadableStream<Uint8Array> {
  const utf8 = new TextEncoder()
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        try {
          const { done, value } = await pieces.next()
          if (!done) return controller.enqueue(utf8.encode(value))
          over()
          controller.close()
        } catch (error) {
          over()
          failed(error)
          // The client sees a file that breaks off, and not one that looks whole.
          controller.error(error)
        }
      },
      async cancel() {
        over()
        await pieces.return(undefined)
      },
    },
    { highWaterMark: 0 },
  )
}
