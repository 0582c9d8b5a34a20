import { fetchRequestHandler } from '@trpc/server/adapters/fetch'
import { createCache } from '@/server/cache'
import { Position } from '@/server/database'
import { openLog } from '@/server/log'
import type { Runtime } from '@/server/runtime'
import { clientAddress } from '@/server/security/requests/address'
import { originAllowed } from '@/server/security/requests/origin'
import { openStatistics } from '@/server/statistics'
import { router } from '@/server/trpc/init'
import { accountRouter } from '../account'
import { authRouter } from '../auth'
import { securityRouter } from '../security'
import { noLimits } from './no-limits'

const url = 'http://localhost:3000'
const appRouter = router({ account: accountRouter, auth: authRouter, security: securityRouter })

export interface Answer {
  status: number
  // biome-ignore lint/suspicious/noExplicitAny: tests read what they expect, and fail on anything else
  data: any
  error: { message: string; data: { code: string; retryAfterMs: number | null } } | null
  setCookies: string[]
}

/** A browser or program in front of these routers: HTTP requests in, answers out, cookies kept by the browser. */
export function visitor(
  security: Runtime['security'],
  now: () => number,
  kind: 'browser' | 'program' = 'browser',
) {
  const jar = new Map<string, string>()
  const log = openLog('error', () => {})
  const env = { HOLDFAST_URL: url, TRUSTED_PROXIES: [] as string[] }
  const clock = { now }
  const cache = createCache({ clock })
  const database = () => {
    throw new Error('These routers ask nothing of the database.')
  }
  const statistics = openStatistics({ cache, clock, security, database })
  const refusals = { note() {} }
  const runtime = { security, log, env, clock, statistics, limits: noLimits, refusals } as unknown as Runtime

  async function call(path: string, input?: unknown, extra: Record<string, string> = {}, method = 'POST') {
    const headers = new Headers({ 'content-type': 'application/json', 'user-agent': 'test/1' })
    if (kind === 'browser') headers.set('origin', url)
    if (jar.size > 0) headers.set('cookie', [...jar].map(([name, value]) => `${name}=${value}`).join('; '))
    for (const [name, value] of Object.entries(extra)) {
      if (value === '') headers.delete(name)
      else headers.set(name, value)
    }
    const body = method === 'POST' ? JSON.stringify(input) : undefined
    const query = method === 'GET' && input ? `?input=${encodeURIComponent(JSON.stringify(input))}` : ''
    const response = await fetchRequestHandler({
      endpoint: '/api/trpc',
      router: appRouter,
      req: new Request(`${url}/api/trpc/${path}${query}`, { method, headers, body }),
      createContext: async ({ resHeaders }) => ({
        ...{ runtime, headers, resHeaders, requestId: 'request-1', stepUp: headers.get('holdfast-step-up') },
        session: await security.authenticate(headers, '127.0.0.1'),
        position: new Position(),
        originAllowed: originAllowed(headers, url),
        client: {
          address: clientAddress('127.0.0.1', headers.get('x-forwarded-for'), env.TRUSTED_PROXIES),
          userAgent: 'test/1',
        },
      }),
    })
    const setCookies = response.headers.getSetCookie()
    for (const each of kind === 'browser' ? setCookies : []) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(each) ?? []
      if (value) jar.set(name, value)
      else jar.delete(name)
    }
    const json = (await response.json()) as { result?: { data: Answer['data'] }; error?: Answer['error'] }
    return {
      status: response.status,
      data: json.result?.data ?? null,
      error: json.error ?? null,
      setCookies,
    } satisfies Answer
  }
  return { call, jar, get: (path: string, input?: unknown) => call(path, input, {}, 'GET') }
}
