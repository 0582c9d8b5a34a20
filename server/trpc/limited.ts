import type { Asking } from '@/server/security/limits'
import { callerOf } from './caller'
import type { Context } from './context'

/** Counts a request for what it asks. Throws TOO_MANY_REQUESTS. Answers as what it was counted. */
export async function takeLimits(ctx: Context, endpoint: string): Promise<Asking> {
  const foreign = ctx.headers.get('sec-fetch-site') === 'cross-site'
  const asking = { endpoint, session: ctx.session, by: callerOf(ctx), foreign }
  await ctx.runtime.limits.take(asking)
  return asking
}
