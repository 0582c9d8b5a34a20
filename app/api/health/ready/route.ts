import { getRuntime } from '@/server/running'
import type { Runtime } from '@/server/runtime'

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
    return (await answers(database)) ? [] : ['The store does not answer.']
  } catch {
    return ['The store cannot be opened.']
  }
}

/** By what the probes of its servers know, where there are any: a question would wait for a connection of a busy pool. */
async function answers(database: Runtime['database']): Promise<boolean> {
  const { nodes } = database.topology()
  if (nodes.length === 0) return (await database.stats()).reachable
  return nodes.some(({ role }) => role === 'primary' || role === 'replica' || role === 'stale')
}
