import { z } from 'zod'
import { testConnection } from '@/server/database'
import { procedure, router } from '@/server/trpc/init'

/** A server that is tried. Never stored, and the password is never answered. */
const target = z.strictObject({
  host: z.string().trim().min(1, 'enter a host name or an address').max(255),
  port: z.int().min(1, 'ports go from 1 to 65535').max(65_535, 'ports go from 1 to 65535').default(5432),
  database: z.string().trim().min(1, 'enter the name of a database').max(63),
  user: z.string().trim().min(1, 'enter the name of a role').max(63),
  password: z.string().max(1_024),
  ssl: z.union([z.boolean(), z.literal('no-verify')]).default(false),
})

export const databaseRouter = router({
  /** Counters and pool of the database under the store, with what it tells about itself. */
  stats: procedure('database:read')
    .meta({ permission: 'database:read', rest: { method: 'GET', path: '/infrastructure/database/stats' } })
    .query(({ ctx }) => ctx.runtime.database.stats()),

  /** Tries a PostgreSQL server: name, TCP, TLS, authentication, version, rights, round trip, recovery state. */
  test: procedure('database:operate')
    .meta({
      permission: 'database:operate',
      rest: { method: 'POST', path: '/infrastructure/database/test' },
    })
    .input(target)
    .mutation(({ input }) => testConnection(input)),
})
