import { TRPCError, tracked } from '@trpc/server'
import { HoldfastError } from '@/server/errors'
import type { MigrationNews } from '@/server/migration'
import type { SessionInfo } from '@/server/security'
import type { Permission } from '@/server/security/roles'
import type { LiveEvent } from '@/server/system'
import type { Context } from '@/server/trpc/context'

/** What travels: here the news of a run has the shape that the migration domain gives it. */
type StreamEvent = Exclude<LiveEvent, { kind: 'migration' }> | MigrationNews

/** What a role must hold to get an event. */
const needed: Record<LiveEvent['kind'], Permission | null> = {
  sample: 'system:read',
  health: 'system:read',
  migration: 'migration:read',
  audit: 'security:read',
  reset: null,
}

interface Request {
  ctx: Context & { session: SessionInfo }
  after: string | undefined
  /** Aborts when the client is gone. */
  signal: AbortSignal | undefined
}

/**
 * The event stream of one client, from after the id it had last. Ends quietly when the client goes, with
 * UNAUTHENTICATED when its session ends, and with SHUTTING_DOWN, on which clients come back, when the server does.
 */
export async function* liveEvents({ ctx, after, signal }: Request) {
  const { runtime, session } = ctx
  let permissions = session.permissions
  const end = new AbortController()
  const leave = () => end.abort()
  const endBy = (error: HoldfastError) => end.abort(error)
  const shutDown = () => endBy(new HoldfastError('SHUTTING_DOWN', 'The console is restarting.'))
  const sessionEnded = () => endBy(new HoldfastError('UNAUTHENTICATED', 'You are signed out.'))

  const forget = runtime.security.watch(session.sessionId, (change) => {
    if (change.ended) sessionEnded()
    else permissions = change.permissions
  })
  signal?.addEventListener('abort', leave)
  runtime.shutdown.addEventListener('abort', shutDown)
  try {
    if (signal?.aborted) leave()
    if (runtime.shutdown.aborted) shutDown()
    for await (const { id, event } of runtime.system.subscribe({ after, signal: end.signal })) {
      const permission = needed[event.kind]
      if (permission === null || permissions.includes(permission)) yield tracked(id, event as StreamEvent)
    }
    if (end.signal.reason instanceof Error && end.signal.reason.name === 'HoldfastError') {
      throw asTrpcError(end.signal.reason as HoldfastError)
    }
  } finally {
    forget()
    signal?.removeEventListener('abort', leave)
    runtime.shutdown.removeEventListener('abort', shutDown)
  }
}

/** Errors inside a stream pass no middleware; clients reconnect on a 5xx code alone. */
function asTrpcError(error: HoldfastError): TRPCError {
  const code = error.code === 'SHUTTING_DOWN' ? 'SERVICE_UNAVAILABLE' : 'UNAUTHORIZED'
  return new TRPCError({ code, message: error.message, cause: error })
}
