import { fetchRequestHandler } from '@trpc/server/adapters/fetch'
import { appRouter } from '@/server/routers/_app'
import { createContext } from '@/server/trpc/context'

/** Largest JSON body; files go to the upload route. */
const MOST_BYTES = 1_048_576
const MOST_IN_A_BATCH = 20

/**
 * Every procedure of the console. Origin and Fetch-Metadata are checked before each mutation (server/trpc/init).
 * A body that is no JSON is refused before it is read: forms of other sites can send it without being asked.
 */
function handle(request: Request): Promise<Response> | Response {
  if (request.method === 'POST') {
    const type = request.headers.get('content-type') ?? ''
    if (!/^application\/json\s*(;|$)/i.test(type)) return refuse(415, 'Send JSON.')
    const length = Number(request.headers.get('content-length') ?? Number.NaN)
    if (!(length <= MOST_BYTES)) return refuse(413, 'The request is too large.')
  }
  return fetchRequestHandler({
    endpoint: '/api/trpc',
    req: request,
    router: appRouter,
    maxBatchSize: MOST_IN_A_BATCH,
    createContext: ({ resHeaders }) => createContext(request.headers, resHeaders),
    // A stream names its own caching; anything else is somebody's own and never kept.
    responseMeta: ({ type }) =>
      type === 'subscription' ? {} : { headers: new Headers({ 'cache-control': 'no-store' }) },
  })
}

function refuse(status: number, message: string): Response {
  return Response.json({ error: { message, code: -32600, data: { code: 'BAD_INPUT' } } }, { status })
}

export { handle as GET, handle as POST }
