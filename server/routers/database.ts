import { z } from 'zod'
import { callerOf, privilegeOf } from '@/server/trpc/caller'
import { procedure, router } from '@/server/trpc/init'
import { notedTest } from './noted-test'

/** A server that is tried. Never stored, and the password is never answered. */
const target = z.strictObject({
  host: z.string().trim().min(1, 'enter a host name or an address').max(255),
  port: z.int().min(1, 'ports go from 1 to 65535').max(65_535, 'ports go from 1 to 65535').default(5432),
  database: z.string().trim().min(1, 'enter the name of a database').max(63),
  user: z.string().trim().min(1, 'enter the name of a role').max(63),
  password: z.string().max(1_024),
  ssl: z.union([z.boolean(), z.literal('no-verify')]).default(false),
})

const time = z.int().min(0).max(8_640_000_000_000_000)
const fingerprint = z.string().regex(/^[0-9a-f]{16,64}$/, 'a fingerprint, as the list of statements has it')
const key = z.string().regex(/^[0-9a-f]{8,64}$/, 'a key, as the list of advice has it')
const session = z.strictObject({ pid: z.int().min(1).max(2_147_483_647), startedAt: time })
const span = z.strictObject({ fingerprint, from: time, to: time }).refine(({ from, to }) => from < to, {
  path: ['to'],
  message: 'must be after from',
})

const read = procedure('database:read')
const operate = procedure('database:operate')
const manage = procedure('database:manage')

/** The database under the store: what is counted, what it tells of itself, and what can be done about it. */
export const databaseRouter = router({
  /** Counters and pool of the database under the store, with what it tells about itself. */
  stats: read
    .meta({ permission: 'database:read', rest: { method: 'GET', path: '/infrastructure/database/stats' } })
    .query(({ ctx }) => ctx.runtime.database.stats()),

  /** The pool: how it works with what stands between, and connections that were borrowed too long ago. */
  pool: read.query(({ ctx }) => ctx.runtime.database.pool()),

  /** Every node with its role, lag and pool, and what changed of late. */
  topology: read.query(({ ctx }) => ctx.runtime.database.topology()),

  /** Sessions of all clients of the server, with who waits for whom. */
  sessions: read.query(({ ctx }) => ctx.runtime.database.inspect.sessions()),

  /** Cancels the statement that one session runs. */
  cancelSession: operate
    .input(session)
    .mutation(({ ctx, input }) => ctx.runtime.operations.cancelSession(callerOf(ctx), input)),

  /** Ends one session. */
  terminateSession: operate
    .input(session)
    .mutation(({ ctx, input }) => ctx.runtime.operations.terminateSession(callerOf(ctx), input)),

  /** Normalised statements by total time. */
  statements: read.query(({ ctx }) => ctx.runtime.database.inspect.statements()),

  /** How the database would run a statement. */
  plan: read
    .input(z.strictObject({ fingerprint }))
    .query(({ ctx, input }) => ctx.runtime.database.inspect.plan(input.fingerprint)),

  /** Calls and time of one statement over the days that are kept. */
  statementHistory: read
    .input(span)
    .query(({ ctx, input: { fingerprint, ...window } }) => ctx.runtime.statements.of(fingerprint, window)),

  /** Tables and their indexes with sizes and use. */
  tables: read.query(({ ctx }) => ctx.runtime.statistics.tables()),

  /** Long transactions, wraparound, replication slots, WAL, followers. */
  server: read.query(({ ctx }) => ctx.runtime.database.inspect.server()),

  /** Renews statistics; on SQLite also folds the write-ahead log, or optimises. */
  maintain: operate
    .input(z.strictObject({ what: z.enum(['analyze', 'checkpoint', 'optimize']) }))
    .mutation(async ({ ctx, input }) => {
      const maintained = await ctx.runtime.operations.maintain(callerOf(ctx), input.what)
      await ctx.runtime.statistics.forgetTables()
      return maintained
    }),

  /** Indexes that would help, with evidence, and what is wrong with those that are there. */
  advice: read
    .input(z.strictObject({ fresh: z.boolean().default(false) }))
    .query(({ ctx, input }) => ctx.runtime.indexes.advice(input)),

  /** Indexes that were made or dropped from here, with their measured effect. */
  indexChanges: read.query(({ ctx }) => ctx.runtime.indexes.list()),

  /** Makes, or drops, the index of one piece of advice. Step-up. */
  applyIndex: manage
    .input(z.strictObject({ key }))
    .mutation(({ ctx, input }) => ctx.runtime.indexes.apply({ ...input, privilege: privilegeOf(ctx) })),

  /** Takes such a change back. Step-up. */
  undoIndex: manage
    .input(z.strictObject({ id: z.uuid() }))
    .mutation(({ ctx, input }) => ctx.runtime.indexes.undo({ ...input, privilege: privilegeOf(ctx) })),

  /**
   * Tries a PostgreSQL server: name, TCP, TLS, authentication, version, rights, what the role may see of sessions
   * and statements, round trip, recovery state.
   */
  test: operate
    .meta({
      permission: 'database:operate',
      rest: { method: 'POST', path: '/infrastructure/database/test' },
    })
    .input(target)
    .mutation(({ ctx, input }) => notedTest(ctx, { ...input, ...ctx.runtime.migration.authority })),
})
