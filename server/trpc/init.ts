import { initTRPC, TRPCError } from '@trpc/server'
import { ZodError } from 'zod'
import { type ErrorCode, errorStatus, HoldfastError, isHoldfastError } from '@/server/errors'
import type { Permission } from '@/server/security/roles'
import { traced } from '@/server/trace'
import type { Context } from './context'
import { idempotencyOf } from './idempotency'
import { takeLimits } from './limited'
import { noteRefusal } from './noted-refusals'
import { permitted, refuseForeign } from './permit'
import { following } from './position'
import { traceIdHere } from './problem'

/** What a client gets of an error, beside its message. */
export interface ErrorData {
  code: ErrorCode
  requestId: string | null
  /** Id of the request's trace, where one is kept. */
  traceId: string | null
  remedy: string | null
  retryAfterMs: number | null
  details: Record<string, unknown> | null
}

/** What a procedure declares: who may call it, and where REST finds it. */
export interface ProcedureMeta {
  permission: Permission | 'public'
  /**
   * Another REST address than by the procedure's name, below /api, with `{name}` for fields of the input. False:
   * it has none.
   */
  rest?: { method: 'GET' | 'POST'; path: `/${string}` } | false
}

const t = initTRPC
  .context<Context>()
  .meta<ProcedureMeta>()
  .create({
    errorFormatter({ shape, error, ctx }) {
      const known = translate(error)
      const data: ErrorData & { httpStatus: number } = {
        code: known.code,
        httpStatus: shape.data.httpStatus,
        requestId: ctx?.requestId ?? null,
        traceId: traceIdHere(),
        remedy: known.remedy ?? null,
        retryAfterMs: known.retryAfterMs ?? null,
        details: known.details ?? null,
      }
      return { ...shape, message: known.message, data }
    },
  })

export const router = t.router
export const createCallerFactory = t.createCallerFactory

/** What is known of a call before anything is done for it. */
interface Call {
  ctx: Context
  path: string
  type: 'query' | 'mutation' | 'subscription'
  getRawInput(): Promise<unknown>
}

/** How tRPC tells what became of a call. */
type Result = { ok: true; data: unknown } | { ok: false; error: TRPCError }

/** Gives every failure the HTTP status of its code, and logs the ones that nobody expected. */
async function withErrors<R extends Result>({ ctx, path }: Call, next: () => Promise<R>): Promise<R> {
  const result = await next()
  if (result.ok) return result
  const known = translate(result.error)
  if (known.code === 'INTERNAL')
    ctx.runtime.log.error(
      { path, requestId: ctx.requestId, error: result.error.cause ?? result.error },
      'procedure failed',
    )
  noteRefusal(ctx, known, path)
  const error = new TRPCError({
    code: trpcCodes[errorStatus[known.code]],
    message: known.message,
    cause: known,
  })
  return { ...result, error }
}

/** One span a procedure, also within a batch. Event streams stay open for hours and have none. */
async function withTrace<R extends Result>({ ctx, path, type }: Call, next: () => Promise<R>): Promise<R> {
  if (type === 'subscription') return next()
  const attributes = { 'rpc.system.name': 'trpc', 'rpc.method': path }
  return traced(ctx.runtime.trace, { name: path, attributes }, async (span) => {
    const result = await next()
    if (!result.ok) span?.set({ 'error.type': translate(result.error).code })
    return result
  })
}

/** Reads of a session show what it wrote, whichever server and instance answer. */
async function withPosition<R>({ ctx }: Call, next: () => Promise<R>): Promise<R> {
  const { runtime, position, resHeaders } = ctx
  return following({ position, resHeaders, secure: runtime.security.secure, now: runtime.clock.now() }, next)
}

/**
 * A mutation with an Idempotency-Key is done once. After the permission, so that nobody gets an answer who may not ask
 * any more, and before the step-up grant, which the first request used up.
 */
async function withKey<R extends Result>(
  { ctx, path, type, getRawInput }: Call,
  next: () => Promise<R>,
): Promise<R> {
  const request = type === 'mutation' ? idempotencyOf(ctx, path, await getRawInput()) : null
  if (!request) return next()
  let result: R | undefined
  const { answer, again } = await ctx.runtime.idempotency.once(request, async () => {
    result = await next()
    if (!result.ok) throw result.error
    return result.data
  })
  if (again) ctx.resHeaders.set('idempotency-replayed', 'true')
  // tRPC knows no middleware that answers by itself, yet looks at nothing else of its result.
  return again || !result ? ({ ok: true, data: answer } as R) : result
}

// Three middlewares and not one for each thing: tRPC copies all that it knows of a call four times for every one.

/** What stands around every call: its span, what its session wrote, and what a client is told of its failure. */
const around = t.middleware((call) =>
  withTrace(call, () => withPosition(call, () => withErrors(call, () => call.next()))),
)

/** Every call counts, each of a batch for itself, before its input is looked at. */
const admitted = t.middleware(async ({ ctx, path, type, next }) => {
  if (type === 'mutation') refuseForeign(ctx)
  const asking = await takeLimits(ctx, path)
  const result = await next()
  const refusal = result.ok ? undefined : translate(result.error)
  if (refusal?.code === 'TOO_MANY_REQUESTS') ctx.runtime.limits.refused(asking, refusal.retryAfterMs ?? 0)
  return result
})

const base = t.procedure.use(around).use(admitted)

/** A procedure that anybody may call: sign-in, set-up, refresh. */
export const publicProcedure = base
  .meta({ permission: 'public' })
  .use((call) => withKey(call, () => call.next()))

/** A procedure for signed-in users whose role holds `permission`. */
export function procedure(permission: Permission) {
  return base.meta({ permission }).use(async (call) => {
    const session = permitted(call.ctx, permission)
    return withKey(call, () => call.next({ ctx: { session } }))
  })
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
