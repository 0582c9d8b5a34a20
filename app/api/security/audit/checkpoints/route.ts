import { HoldfastError, isHoldfastError } from '@/server/errors'
import { createContext } from '@/server/trpc/context'
import { permitted } from '@/server/trpc/permit'
import { problem } from '@/server/trpc/problem'

/** Every signed checkpoint of the audit log, one a line: with an export and the public key they prove it anywhere. */
export async function GET(request: Request): Promise<Response> {
  const context = await createContext(request.headers)
  const { runtime, requestId } = context
  try {
    permitted(context, 'security:read')
    return new Response(await runtime.audit.checkpointFile(), {
      headers: {
        'content-type': 'application/x-ndjson; charset=utf-8',
        'content-disposition': 'attachment; filename="holdfast-checkpoints.ndjson"',
        'cache-control': 'no-store',
      },
    })
  } catch (error) {
    if (isHoldfastError(error)) return problem(error, requestId)
    runtime.log.error({ requestId, error }, 'checkpoints could not be read')
    const internal = new HoldfastError('INTERNAL', {
      message: 'The checkpoints could not be read.',
      remedy: 'Try again. If it stays, look for the request id in the log.',
    })
    return problem(internal, requestId)
  }
}
