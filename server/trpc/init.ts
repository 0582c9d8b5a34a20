import { initTRPC, TRPCError } from '@trpc/server'
import { ZodError } from 'zod'
import { type ErrorCode, errorStatus, HoldfastError, isHoldfastError } from '@/server/errors'
import type { Permission } from '@/server/security/roles'
import type { Context } from './context'
import { permitted, refuseForeign } from './permit'
import { following } from './position'

/** What a client gets of an error, beside its message. */
export interface ErrorData {
  code: ErrorCode
  requestId: string | null
  remedy: string | null
  retryAfterMs: number | null
  details: Record<string, unknown> | null
}

/** What a procedure declares: who may call it, and where REST finds it. */
export interface ProcedureMeta {
  permission: Permission | 'public'
  /** The path is below /api, with `{name}` for fields of the input. */
  rest?: { method: 'GET' | 'POST'; path: `/${string}` }
}

const t = initTRPC
  .context<Context>()
  .meta<ProcedureMeta>()
  .create({
    sse: { ping: { enabled: true, intervalMs: 2_000 }, client: { reconnectAfterInactivityMs: 5_000 } },
    errorFormatter({ shape, error, ctx }) {
      const known = translate(error)
      const data: ErrorData & { httpStatus: number } = {
        code: known.code,
        httpStatus: shape.data.httpStatus,
        requestId: ctx?.requestId ?? null,
        remedy: known.remedy ?? null,
        retryAfterMs: known.retryAfterMs ?? null,
        details: known.details ?? null,
      }
      return { ...shape, message: known.message, data }
    },
  })

export const router = t.router
export const createCallerFactory = t.createCallerFactory

/** Gives every failure the HTTP status of its code, and logs the ones that nobody expected. */
const withErrors = t.middleware(async ({ ctx, path, next }) => {
  const result = await next()
  if (result.ok) return result
  const known = translate(result.error)
  if (known.code === 'INTERNAL')
    ctx.runtime.log.error(
      { path, requestId: ctx.requestId, error: result.error.cause ?? result.error },
      'procedure failed',
    )
  throw new TRPCError({ code: trpcCodes[errorStatus[known.code]], message: known.message, cause: known })
})

const withOrigin = t.middleware(({ ctx, type, next }) => {
  if (type === 'mutation') refuseForeign(ctx)
  return next()
})

/** Reads of a session show what it wrote, whichever server and instance answer. */
const withPosition = t.middleware(({ ctx, next }) => {
  const { runtime, position, resHeaders } = ctx
  return following({ position, resHeaders, secure: runtime.security.secure, now: runtime.clock.now() }, () =>
    next(),
  )
})

const base = t.procedure.use(withPosition).use(withErrors).use(withOrigin)

/** A procedure that anybody may call: sign-in, set-up, refresh. */
export const publicProcedure = base.meta({ permission: 'public' })

/** A procedure for signed-in users whose role holds `permission`. */
export function procedure(permission: Permission) {
  return base
    .meta({ permission })
    .use(({ ctx, next }) => next({ ctx: { ...ctx, session: permitted(ctx, permission) } }))
}

/** The error that a client may see: known codes as they are, wrong input with its fields, the rest without a word. */
export function translate(error: TRPCError): HoldfastError {
  const cause = error.cause
  const known = knownBehind(cause)
  if (known) return known
  if (cause instanceof ZodError || cause?.name === 'ZodError') {
    const issues = (cause as ZodError).issues.map(({ path, message }) => ({ path: path.join('.'), message }))
    const first = issues[0]
    return new HoldfastError('BAD_INPUT', {
      message: first ? `${first.path || 'The input'}: ${first.message}.` : 'The input does not fit.',
      details: { issues },
    })
  }
  if (error.code === 'NOT_FOUND') return new HoldfastError('NOT_FOUND', 'There is nothing at this address.')
  if (error.code === 'SERVICE_UNAVAILABLE')
    return new HoldfastError('SHUTTING_DOWN', 'The console is restarting.')
  if (clientFaults.has(error.code))
    return new HoldfastError('BAD_INPUT', 'The request does not fit this procedure.')
  return new HoldfastError('INTERNAL', {
    message: 'Something went wrong in the console.',
    remedy: 'Try again. If it stays, look for the request id in the log.',
  })
}

/** The first error down the causes that a client may see: drizzle wraps what its drivers throw. */
function knownBehind(error: unknown): HoldfastError | undefined {
  for (let at = error; at instanceof Error; at = at.cause) if (isHoldfastError(at)) return at
  return undefined
}

const clientFaults = new Set<string>([
  'PARSE_ERROR',
  'BAD_REQUEST',
  'METHOD_NOT_SUPPORTED',
  'UNSUPPORTED_MEDIA_TYPE',
])

const trpcCodes = {
  400: 'BAD_REQUEST',
  401: 'UNAUTHORIZED',
  403: 'FORBIDDEN',
  404: 'NOT_FOUND',
  405: 'METHOD_NOT_SUPPORTED',
  409: 'CONFLICT',
  413: 'PAYLOAD_TOO_LARGE',
  415: 'UNSUPPORTED_MEDIA_TYPE',
  422: 'UNPROCESSABLE_CONTENT',
  429: 'TOO_MANY_REQUESTS',
  500: 'INTERNAL_SERVER_ERROR',
  502: 'BAD_GATEWAY',
  503: 'SERVICE_UNAVAILABLE',
} as const
