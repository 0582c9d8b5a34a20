import { HoldfastError, isHoldfastError } from '@/server/errors'
import { createContext } from '@/server/trpc/context'
import { takeLimits } from '@/server/trpc/limited'
import { noteRefusal } from '@/server/trpc/noted-refusals'
import { permitted } from '@/server/trpc/permit'
import { problem } from '@/server/trpc/problem'

/** Files about a run, to whoever may see the run: its report, what was chosen, the rows that were rejected. */
export async function GET(
  request: Request,
  { params }: { params: Promise<{ run: string; file: string }> },
): Promise<Response> {
  const context = await createContext(request.headers)
  const { runtime, requestId } = context
  try {
    await takeLimits(context, 'migration.download')
    permitted(context, 'migration:read')
    const { run, file } = await params
    const { name, type, body } = await runtime.migration.download(run, file)
    return new Response(body, {
      headers: {
        'content-type': type,
        'content-disposition': `attachment; filename="${name}"`,
        'cache-control': 'no-store',
      },
    })
  } catch (error) {
    if (isHoldfastError(error)) {
      noteRefusal(context, error, 'migration.download')
      return problem(error, requestId)
    }
    runtime.log.error({ requestId, error }, 'download failed')
    const internal = new HoldfastError('INTERNAL', {
      message: 'The file could not be made.',
      remedy: 'Try again. If it stays, look for the request id in the log.',
    })
    return problem(internal, requestId)
  }
}
