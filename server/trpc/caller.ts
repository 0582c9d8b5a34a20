import type { Caller } from '@/server/audit'
import type { Privilege } from '@/server/security'
import type { Context } from './context'

/** Who is behind a request, for the audit events of what it does. */
export function callerOf({
  session,
  client,
  requestId,
}: Pick<Context, 'session' | 'client' | 'requestId'>): Caller {
  return {
    actorId: session?.userId ?? null,
    actor: session?.email ?? 'anonymous',
    sessionId: session?.sessionId ?? null,
    address: client.address,
    userAgent: client.userAgent || null,
    requestId,
  }
}

/** Who asks for something that takes a step-up, with the grant that the request brought. */
export function privilegeOf(ctx: Context): Privilege {
  return { by: callerOf(ctx), grantId: ctx.stepUp }
}
