import { randomUUID } from 'node:crypto'
import { fetchRequestHandler } from '@trpc/server/adapters/fetch'
import { errorStatus, type HoldfastError, isHoldfastError } from '@/server/errors'
import { appRouter } from '@/server/routers/_app'
import { readJsonText } from '@/server/trpc/body'
import { createContext } from '@/server/trpc/context'
import { type ErrorData, translate } from '@/server/trpc/init'
import { errorHeaders } from '@/server/trpc/problem'

const MOST_IN_A_BATCH = 20

/** Every procedure of the console. Origin and Fetch-Metadata are checked before each mutation (server/trpc/init). */
async function handle(request: Request): Promise<Response> {
  try {
    return await answer(request.method === 'POST' ? await withJson(request) : request)
  } catch (error) {
    if (isHoldfastError(error)) return refuse(error, request.headers.get('x-request-id') ?? randomUUID())
    throw error
  }
}

function answer(request: Request): Promise<Response> {
  return fetchRequestHandler({
    endpoint: '/api/trpc',
    req: request,
    router: appRouter,
    maxBatchSize: MOST_IN_A_BATCH,
    createContext: ({ resHeaders }) => createContext(request.headers, resHeaders),
    responseMeta: ({ type, errors }) => {
      // A stream names its own caching; anything else is somebody's own and never kept.
      const headers = new Headers(type === 'subscription' ? {} : { 'cache-control': 'no-store' })
      for (const [name, value] of Object.entries(errorHeaders(errors.map(translate))))
        headers.set(name, value)
      return { headers }
    },
  })
}

/** The same request with a body that was read within its limits. */
async function withJson(request: Request): Promise<Request> {
  const { url, method, headers, signal } = request
  const body = await readJsonText(request)
  return new Request(url, { method, headers, signal, body })
}

/** A refusal before any procedure, in the form in which procedures fail. */
function refuse(error: HoldfastError, requestId: string): Response {
  const httpStatus = errorStatus[error.code]
  const data: ErrorData & { httpStatus: number } = {
    ...{ code: error.code, httpStatus, requestId, remedy: error.remedy ?? null },
    ...{ retryAfterMs: null, details: null },
  }
  return Response.json(
    { error: { message: error.message, code: -32600, data } },
    { status: httpStatus, headers: { 'cache-control': 'no-store', ...errorHeaders([error]) } },
  )
}

export { handle as GET, handle as POST }
