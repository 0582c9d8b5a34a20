import { z } from 'zod'
import { severities } from '@/server/audit/severity'
import { callerOf, privilegeOf } from '@/server/trpc/caller'
import { procedure, router } from '@/server/trpc/init'
import { email, id, label } from '../inputs'

const read = procedure('security:read')
const operate = procedure('security:operate')
const manage = procedure('security:manage')

const instant = z.int().min(0).max(8_640_000_000_000_000)
const page = {
  /** The `next` of the page above. */
  before: z.strictObject({ at: instant, id }).optional(),
  limit: z.int().min(1).max(200).default(50),
}

const general = { name: label, leastSeverity: z.enum(severities), enabled: z.boolean() }

const webhook = {
  ...general,
  kind: z.literal('webhook'),
  /** Left out: it stays. */
  url: z.string().trim().min(1, 'enter an address').max(2_000).optional(),
  /** Left out: they stay. */
  headers: z
    .array(z.strictObject({ name: z.string().min(1).max(100), value: z.string().min(1).max(2_000) }))
    .max(10)
    .optional(),
}

const mailbox = {
  ...general,
  kind: z.literal('email'),
  host: z
    .string()
    .max(253)
    .regex(/^[\w.:-]+$/, 'enter the name or address of a server'),
  port: z.int().min(1).max(65_535),
  tls: z.enum(['implicit', 'starttls', 'none']),
  user: z.string().min(1).max(254).nullable(),
  /** Left out: it stays. */
  password: z.string().min(1).max(1_000).optional(),
  from: email,
  to: z.array(email).min(1, 'enter an address').max(20),
  hourly: z.int().min(1).max(1_000),
}

const one = z.strictObject({ id })

/** Alerts and their channels. Every change of a channel takes a step-up. */
export const alertsRouter = router({
  /** The latest first. */
  list: read
    .input(z.strictObject({ ...page, unseen: z.boolean().optional() }))
    .query(({ ctx, input }) => ctx.runtime.alerts.list(input)),

  /** How many nobody has put away, and the newest of them. */
  unseen: read.query(({ ctx }) => ctx.runtime.alerts.unseen()),

  /** Puts alerts away for everybody: those named, or all that were raised until then. */
  markSeen: operate
    .input(
      z.union([z.strictObject({ ids: z.array(id).min(1).max(200) }), z.strictObject({ until: instant })]),
    )
    .mutation(async ({ ctx, input }) => ({ seen: await ctx.runtime.alerts.markSeen(input, callerOf(ctx)) })),

  /** Channels with how they fare, and without their secrets. */
  channels: read.query(({ ctx }) => ctx.runtime.alerts.channels.list()),

  /** Adds a webhook or a mailbox for alerts; a webhook's secret is answered this once. Step-up. */
  addChannel: manage
    .input(z.discriminatedUnion('kind', [z.strictObject(webhook), z.strictObject(mailbox)]))
    .mutation(({ ctx, input }) => ctx.runtime.alerts.channels.add(input, privilegeOf(ctx))),

  /** Changes where alerts go and from which severity on; without a secret the earlier one stays. Step-up. */
  changeChannel: manage
    .input(
      z.discriminatedUnion('kind', [z.strictObject({ id, ...webhook }), z.strictObject({ id, ...mailbox })]),
    )
    .mutation(({ ctx, input }) => ctx.runtime.alerts.channels.change(input, privilegeOf(ctx))),

  /** Removes a channel with what it still had to send. Step-up. */
  removeChannel: manage
    .input(one)
    .mutation(({ ctx, input }) => ctx.runtime.alerts.channels.remove(input, privilegeOf(ctx))),

  /** Gives a webhook another secret; the one before signs, too, for a day. Step-up. */
  rotateSecret: manage
    .input(one)
    .mutation(({ ctx, input }) => ctx.runtime.alerts.channels.rotateSecret(input, privilegeOf(ctx))),

  /** Sends a test now, and answers what came of it. */
  testChannel: operate
    .input(one)
    .mutation(({ ctx, input }) => ctx.runtime.alerts.channels.test(input, callerOf(ctx))),

  /** What was and is to be sent, the latest first. */
  deliveries: read
    .input(
      z.strictObject({
        ...page,
        state: z.enum(['pending', 'delivered', 'dead']).optional(),
        channelId: id.optional(),
      }),
    )
    .query(({ ctx, input }) => ctx.runtime.alerts.deliveries(input)),

  /** Tries deliveries again that were given up. */
  retry: operate
    .input(z.strictObject({ ids: z.array(id).min(1).max(200) }))
    .mutation(async ({ ctx, input }) => ({ retried: await ctx.runtime.alerts.retry(input, callerOf(ctx)) })),
})
