import { HoldfastError } from '@/server/errors'
import { getRuntime } from '@/server/running'
import { problem } from '@/server/trpc/problem'

/** The metrics of this process in Prometheus' text format: by METRICS_TOKEN, or from this machine alone. */
export async function GET({ headers }: Request): Promise<Response> {
  const { exposition } = await getRuntime()
  if (!exposition.admits(headers)) {
    const refusal = new HoldfastError('UNAUTHENTICATED', {
      message: 'These metrics are read with a token, or from this machine.',
      remedy: 'Set METRICS_TOKEN, and send it as Authorization: Bearer TOKEN.',
    })
    return problem(refusal, headers.get('x-request-id') ?? '')
  }
  const { body, contentType } = await exposition.text()
  return new Response(body, { headers: { 'content-type': contentType, 'cache-control': 'no-store' } })
}
