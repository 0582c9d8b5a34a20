import { noted } from '@/server/audit'
import { type TestTarget, testConnection } from '@/server/database'
import { callerOf } from '@/server/trpc/caller'
import type { Context } from '@/server/trpc/context'

/** Tries a PostgreSQL server, and notes who has made the console call it. */
export function notedTest(ctx: Context, target: TestTarget) {
  return noted(ctx.runtime, {
    by: callerOf(ctx),
    event: 'sys_connection_tested',
    target: `server:${target.host}:${target.port}`,
    act: () => testConnection(target),
    after: ({ ok }) => ({ user: target.user, database: target.database, ok }),
  })
}
