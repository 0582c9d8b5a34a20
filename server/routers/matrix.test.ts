import type { AnyProcedure } from '@trpc/server'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { restRoutes } from '@/server/trpc/rest-routes'
import { appRouter } from './_app'
import { openConsole } from './testing/console'
import { openPeople, type Who } from './testing/people'

/** The only procedures that anybody may call. */
const publicProcedures = [
  'auth.setUpState',
  'auth.checkSetUpLink',
  'auth.setUp',
  'auth.checkLink',
  'auth.useLink',
  'auth.signIn',
  'auth.verify',
  'auth.passkeyOptions',
  'auth.passkeySignIn',
  'auth.refresh',
  'auth.signOut',
]

/** What each permission's last word asks for, and what each role brings. An account is everybody's own. */
const levels: Record<string, number> = { own: 1, 'step-up': 1, read: 1, operate: 2, manage: 3, ingest: 3 }
const roles: Partial<Record<Who, number>> = { viewer: 1, operator: 2, admin: 3 }

/** The code of the refusal, or null for who gets past the guard. */
function refusal(who: Who, permission: string): string | null {
  if (permission === 'public') return null
  if (who === 'signed out') return 'UNAUTHENTICATED'
  if (who === 'API key for system:read') return permission === 'system:read' ? null : 'FORBIDDEN'
  if (who === 'admin who must enrol') return permission === 'account:own' ? null : 'FACTOR_REQUIRED'
  if (who === 'operator who must change the password')
    return permission === 'account:own' ? null : 'PASSWORD_CHANGE_REQUIRED'
  const level = levels[permission.split(':')[1] ?? '']
  if (level === undefined) throw new Error(`Nobody has said who holds ${permission}.`)
  return level <= (roles[who] ?? 0) ? null : 'FORBIDDEN'
}

interface Definition {
  type: string
  inputs: unknown[]
  meta?: { permission?: string }
}

const procedures = Object.entries(appRouter._def.procedures as unknown as Record<string, AnyProcedure>).map(
  ([name, { _def }]) => {
    const { type, inputs, meta } = _def as unknown as Definition
    return { name, type, permission: meta?.permission, takesInput: inputs.length > 0 }
  },
)
const named = (wanted: string) => procedures.find(({ name }) => name === wanted)
const people: Who[] = [
  'signed out',
  'viewer',
  'operator',
  'admin',
  'admin who must enrol',
  'operator who must change the password',
  'API key for system:read',
]

/** What asks Redis, and takes no input: this console has none, which is said past the guard. */
const asksRedis = ['cache.nodes', 'cache.slowLog', 'cache.resetSlowLog']

/** A field that no input knows: past the guard it is refused, and nothing changes. */
const wrong = { nobodyAskedForThis: true }

let console: Awaited<ReturnType<typeof openConsole>>
let tokens: Record<Who, string | null>
const undo: (() => unknown)[] = []
beforeAll(async () => {
  console = await openConsole((step) => undo.push(step))
  tokens = (await openPeople(console)).tokens
})
afterAll(async () => {
  for (const step of undo.splice(0).reverse()) await step()
})

/** What comes of the same request from everybody, and what should. */
async function everybody(permission: string, past: string, ask: (token: string | null) => Promise<string>) {
  const outcomes: Record<string, string> = {}
  for (const who of people) outcomes[who] = await ask(tokens[who])
  const expected = Object.fromEntries(people.map((who) => [who, refusal(who, permission) ?? past]))
  return { outcomes, expected }
}

it('finds the procedures, and a permission on each of them', () => {
  expect(procedures.length).toBeGreaterThan(60)
  expect(procedures.filter(({ permission }) => permission === undefined)).toEqual([])
  const open = procedures.filter(({ permission }) => permission === 'public').map(({ name }) => name)
  expect(open.sort()).toEqual([...publicProcedures].sort())
})

describe('over tRPC', () => {
  it.each(procedures)(
    '$name lets those in who hold $permission',
    async ({ name, type, permission = '', takesInput }) => {
      const past = takesInput ? 'BAD_INPUT' : asksRedis.includes(name) ? 'CACHE_UNAVAILABLE' : 'ok'
      const { outcomes, expected } = await everybody(permission, past, async (token) => {
        return (await console.call(name, type, token, takesInput ? wrong : undefined)).outcome
      })
      expect(outcomes).toEqual(expected)
    },
  )
})

describe('over REST', () => {
  const routes = restRoutes(appRouter)

  it('has the addresses that are promised, and one for every procedure but the event stream', () => {
    expect(routes.map(({ method, path }) => `${method} ${path}`)).toEqual(
      expect.arrayContaining([
        'GET /auth/me',
        'GET /infrastructure/cache/health',
        'GET /infrastructure/cache/stats',
        'GET /infrastructure/database/stats',
        'GET /infrastructure/migration/status',
        'GET /infrastructure/migration/status/{id}',
        'GET /infrastructure/security/audit',
        'GET /infrastructure/security/audit/public-key',
        'GET /infrastructure/security/audit/retention',
        'GET /infrastructure/security/audit/verification',
        'GET /infrastructure/security/events',
        'GET /infrastructure/security/findings',
        'GET /infrastructure/security/stats',
        'GET /infrastructure/system/config',
        'GET /infrastructure/system/health',
        'GET /infrastructure/system/instances',
        'POST /auth/login',
        'POST /auth/logout',
        'POST /auth/refresh',
        'POST /auth/step-up',
        'POST /auth/verify',
        'POST /infrastructure/cache/clear',
        'POST /infrastructure/database/test',
        'POST /infrastructure/migration/cancel',
        'POST /infrastructure/migration/pause',
        'POST /infrastructure/migration/plan',
        'POST /infrastructure/migration/resume',
        'POST /infrastructure/migration/start',
        'POST /infrastructure/migration/validate',
        'POST /infrastructure/security/2fa/generate',
        'POST /infrastructure/security/2fa/verify',
        'POST /infrastructure/security/audit/verify',
        'POST /infrastructure/security/events',
      ]),
    )
    const without = procedures.filter(({ name }) => !routes.some(({ procedure }) => procedure === name))
    expect(without.map(({ name }) => name)).toEqual(['system.live'])
  })

  it.each(routes)('$method $path lets in whom $procedure lets in', async ({ method, path, procedure }) => {
    const { permission = '', takesInput = false } = named(procedure) ?? {}
    const query = takesInput && method === 'GET' ? '?nobodyAskedForThis=true' : ''
    const body = takesInput && method === 'POST' ? wrong : undefined
    const past = takesInput ? 'BAD_INPUT' : asksRedis.includes(procedure) ? 'CACHE_UNAVAILABLE' : 'ok'
    const { outcomes, expected } = await everybody(permission, past, async (token) => {
      return (await console.rest(method, `/api${path}${query}`, token, body)).outcome
    })
    expect(outcomes).toEqual(expected)
  })

  it('POST /upload lets those in who hold migration:manage', async () => {
    const { outcomes, expected } = await everybody('migration:manage', 'BAD_INPUT', async (token) => {
      return (await console.rest('POST', '/api/upload', token)).outcome
    })
    expect(outcomes).toEqual(expected)
  })
})
