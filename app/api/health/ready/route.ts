import { getRuntime } from '@/server/running'

/** Whether requests can be served: 503 with the reasons while the store is away or the process stops. */
export async function GET(): Promise<Response> {
  const reasons = await reasonsAgainst()
  return Response.json(reasons.length === 0 ? { status: 'ready' } : { status: 'not ready', reasons }, {
    status: reasons.length === 0 ? 200 : 503,
    headers: { 'cache-control': 'no-store' },
  })
}

async function reasonsAgainst(): Promise<string[]> {
  try {
    const { shutdown, database } = await getRuntime()
    if (shutdown.aborted) return ['The process is stopping.']
    const { reachable } = await database.stats()
    return reachable ? [] : ['The store does not answer.']
  } catch {
    return ['The store cannot be opened.']
  }
}
