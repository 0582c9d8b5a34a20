import { z } from 'zod'
import { choicesSchema, refuseElsewhere } from '@/server/migration'
import { callerOf } from '@/server/trpc/caller'
import { procedure, router } from '@/server/trpc/init'
import { notedTest } from './noted-test'

const id = z.uuid()
const run = z.strictObject({ id })
const line = (most: number) =>
  z
    .string()
    .trim()
    .min(1, 'fill this in')
    .max(most, `use at most ${most} characters`)
    .regex(/^[^\p{Cc}\p{Cs}]*$/u, 'use letters only')

const connection = z.strictObject({
  name: line(80),
  host: line(253).regex(/^[^\s/]+$/, 'a host name or address'),
  port: z.int('a port').min(1, 'a port, 1 to 65535').max(65_535, 'a port, 1 to 65535'),
  database: line(63),
  user: line(63),
  ssl: z.boolean(),
  /** On a change: absent keeps the password. */
  password: z.string().max(1_000).optional(),
})

const source = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('store') }),
  z.strictObject({ kind: z.literal('folder'), path: z.string().min(1).max(4_096) }),
  z.strictObject({ kind: z.literal('upload'), id }),
])

const target = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('environment') }),
  z.strictObject({ kind: z.literal('connection'), id }),
])

const rejectLimit = z.int().min(0).max(1_000_000)

const schema = line(63).regex(/^(?!pg_)/, 'names that begin with pg_ belong to PostgreSQL')

const read = procedure('migration:read')
const operate = procedure('migration:operate')
const manage = procedure('migration:manage')

/** Sources, targets and runs of migrations. Starting and switching over use up a step-up grant. */
export const migrationRouter = router({
  /** SQLite files that can be migrated: the own store, those of the folders, uploads. */
  sources: read.query(({ ctx }) => ctx.runtime.migration.sources()),

  /** Limits and places that the pages show. */
  settings: read.query(({ ctx }) => ({
    uploadMax: ctx.runtime.migration.uploadMax,
    dialect: ctx.runtime.store.dialect,
  })),

  /** PostgreSQL servers that can be migrated to; passwords are never answered. */
  targets: read.query(({ ctx }) => ctx.runtime.migration.targets()),

  /** Keeps a PostgreSQL server as a target; its password is sealed. */
  createConnection: manage
    .input(connection)
    .mutation(({ ctx, input }) => ctx.runtime.migration.createConnection(callerOf(ctx), input)),

  /** Changes a kept target; without a password the earlier one stays. */
  updateConnection: manage
    .input(connection.extend({ id }))
    .mutation(({ ctx, input: { id, ...change } }) =>
      ctx.runtime.migration.updateConnection(callerOf(ctx), id, change),
    ),

  /** Forgets a kept target. */
  deleteConnection: manage
    .input(z.strictObject({ id }))
    .mutation(({ ctx, input }) => ctx.runtime.migration.deleteConnection(callerOf(ctx), input.id)),

  /** Tries a known target step by step. */
  testTarget: operate
    .input(target)
    .mutation(async ({ ctx, input }) => notedTest(ctx, await ctx.runtime.migration.resolveTarget(input))),

  /** Tries what was entered, before it is kept. Without a password that of the connection `id`. */
  testConnection: manage
    .input(connection.extend({ id: id.optional() }))
    .mutation(async ({ ctx, input: { id, password, ...place } }) => {
      const known = id ? await ctx.runtime.migration.resolveTarget({ kind: 'connection', id }) : null
      if (known && password === undefined) refuseElsewhere(known, place)
      const { authority } = ctx.runtime.migration
      return notedTest(ctx, { ...place, ...authority, password: password ?? known?.password ?? '' })
    }),

  /** Deletes an uploaded file. */
  deleteUpload: manage
    .input(z.strictObject({ id }))
    .mutation(({ ctx, input }) => ctx.runtime.migration.deleteUpload(input.id, callerOf(ctx))),

  /** Every run with its state, the latest first. */
  runs: read
    .meta({
      permission: 'migration:read',
      rest: { method: 'GET', path: '/infrastructure/migration/status' },
    })
    .query(({ ctx }) => ctx.runtime.migration.listRuns()),

  /** One run whole: plan, checks, progress, validation. */
  run: read
    .meta({
      permission: 'migration:read',
      rest: { method: 'GET', path: '/infrastructure/migration/status/{id}' },
    })
    .input(run)
    .query(({ ctx, input }) => ctx.runtime.migration.getRun(input.id)),

  /** What a run has said, the latest lines. */
  log: read
    .input(z.strictObject({ id, limit: z.int().min(1).max(1_000).default(200) }))
    .query(({ ctx, input }) => ctx.runtime.migration.readLog(input.id, input.limit)),

  /** Makes a run; checks and plan follow by themselves. */
  create: manage
    .meta({
      permission: 'migration:manage',
      rest: { method: 'POST', path: '/infrastructure/migration/plan' },
    })
    .input(
      z.strictObject({
        source,
        target,
        schema: schema.default('public'),
        /** 'compare' writes nothing: it compares a target that something else has filled. */
        purpose: z.enum(['migrate', 'compare']).default('migrate'),
        /** Note writes to the source while the copy goes on, and bring them over. */
        capture: z.boolean().default(false),
      }),
    )
    .mutation(({ ctx, input }) => ctx.runtime.migration.createRun(callerOf(ctx), input)),

  /** Looks at source and target, and makes the plan anew. */
  plan: manage
    .meta({
      permission: 'migration:manage',
      rest: { method: 'POST', path: '/infrastructure/migration/plan/{id}' },
    })
    .input(run)
    .mutation(({ ctx, input }) => ctx.runtime.migration.planRun(input.id)),

  /** Plans anew by what is chosen of types, names, NULLs and exclusions. */
  choose: manage
    .input(z.strictObject({ id, choices: choicesSchema }))
    .mutation(({ ctx, input }) => ctx.runtime.migration.choose({ ...input, caller: callerOf(ctx) })),

  /** Says that a check which asks for it was read. */
  acknowledge: operate
    .input(z.strictObject({ id, checks: z.array(z.string().max(100)).min(1).max(100) }))
    .mutation(({ ctx, input }) => ctx.runtime.migration.acknowledge({ ...input, caller: callerOf(ctx) })),

  /** Starts the copy of a planned run. Step-up. */
  start: manage
    .meta({
      permission: 'migration:manage',
      rest: { method: 'POST', path: '/infrastructure/migration/start' },
    })
    .input(run)
    .mutation(({ ctx, input }) =>
      ctx.runtime.migration.startRun({ ...input, caller: callerOf(ctx), grantId: ctx.stepUp }),
    ),

  /** Pauses a run at its next checkpoint. */
  pause: operate
    .meta({
      permission: 'migration:operate',
      rest: { method: 'POST', path: '/infrastructure/migration/pause' },
    })
    .input(run)
    .mutation(({ ctx, input }) => ctx.runtime.migration.pauseRun({ ...input, caller: callerOf(ctx) })),

  /** Goes on with a paused run from its last checkpoint. */
  resume: operate
    .meta({
      permission: 'migration:operate',
      rest: { method: 'POST', path: '/infrastructure/migration/resume' },
    })
    .input(run)
    .mutation(({ ctx, input }) => ctx.runtime.migration.resumeRun({ ...input, caller: callerOf(ctx) })),

  /** Compares both sides of an ended run again. */
  validate: operate
    .meta({
      permission: 'migration:operate',
      rest: { method: 'POST', path: '/infrastructure/migration/validate' },
    })
    .input(run)
    .mutation(({ ctx, input }) => ctx.runtime.migration.validateRun({ ...input, caller: callerOf(ctx) })),

  /** Ends a run; what it made in the target is removed. */
  cancel: operate
    .meta({
      permission: 'migration:operate',
      rest: { method: 'POST', path: '/infrastructure/migration/cancel' },
    })
    .input(run)
    .mutation(({ ctx, input }) => ctx.runtime.migration.cancelRun({ ...input, caller: callerOf(ctx) })),

  /** Deletes a run that has ended, with its log. */
  delete: manage
    .input(run)
    .mutation(({ ctx, input }) => ctx.runtime.migration.deleteRun({ ...input, caller: callerOf(ctx) })),

  /** Rows that could not be stored, page by page. */
  rejects: read
    .input(
      z.strictObject({
        id,
        after: z.string().max(20).optional(),
        limit: z.int().min(1).max(1_000).default(100),
      }),
    )
    .query(({ ctx, input }) => ctx.runtime.migration.rejects(input)),

  /** Accepts the rejected rows of a run by their number, so that it may be switched over. */
  acceptRejects: manage
    .input(z.strictObject({ id, rejected: z.int().min(1) }))
    .mutation(({ ctx, input }) => ctx.runtime.migration.acceptRejects({ ...input, caller: callerOf(ctx) })),

  /** Sets how many rows of a table and of the run may be rejected. */
  rejectLimits: manage
    .input(z.strictObject({ id, rejects: z.strictObject({ perTable: rejectLimit, perRun: rejectLimit }) }))
    .mutation(({ ctx, input }) => ctx.runtime.migration.rejectLimits({ ...input, caller: callerOf(ctx) })),

  /** Moves the application of a foreign source: no more writes, the last changes, the last check. Step-up. */
  cutOver: manage
    .input(run)
    .mutation(({ ctx, input }) =>
      ctx.runtime.migration.cutOver({ ...input, caller: callerOf(ctx), grantId: ctx.stepUp }),
    ),

  /** Lets the application of a source that was cut over write to it again. */
  reopenSource: manage
    .input(run)
    .mutation(({ ctx, input }) => ctx.runtime.migration.reopenSource({ ...input, caller: callerOf(ctx) })),

  /** Moves the console itself to the target of a validated run. Step-up. */
  switchOver: manage
    .input(run)
    .mutation(({ ctx, input }) =>
      ctx.runtime.migration.switchOver({ ...input, caller: callerOf(ctx), grantId: ctx.stepUp }),
    ),

  /** Back to SQLite, with every change since the switchover. Step-up. */
  switchBack: manage
    .input(run)
    .mutation(({ ctx, input }) =>
      ctx.runtime.migration.switchBack({ ...input, caller: callerOf(ctx), grantId: ctx.stepUp }),
    ),
})
