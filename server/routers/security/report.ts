import { isIP } from 'node:net'
import { z } from 'zod'
import { severities } from '@/server/audit/severity'
import { reportable } from '@/server/security/ingest/vocabulary'
import { callerOf } from '@/server/trpc/caller'
import { procedure } from '@/server/trpc/init'
import { label } from '../inputs'

const line = (most: number) => z.string().min(1).max(most)

const mostStateBytes = 8_192
const mostDepth = 6

/** A state of anything, as JSON: bounded, since it stays in the log. */
const state = z
  .record(z.string().max(100), z.json())
  .refine((value) => depthOf(value) <= mostDepth, `nest at most ${mostDepth} levels`)
  .refine(
    (value) => Buffer.byteLength(JSON.stringify(value)) <= mostStateBytes,
    `use at most ${mostStateBytes} bytes of JSON`,
  )

const reportedEvent = z.strictObject({
  time: z.int().positive().optional(),
  event: z.enum(reportable, 'is none of the names that can be reported'),
  actor: line(254),
  outcome: z.enum(['success', 'failure', 'denied']),
  target: line(300).optional(),
  reason: line(500).optional(),
  address: z
    .string()
    .max(45)
    .refine((text) => isIP(text) !== 0, 'enter an IP address')
    .optional(),
  userAgent: line(1_000).optional(),
  sessionId: line(200).optional(),
  severity: z.enum(severities).optional(),
  before: state.optional(),
  after: state.optional(),
})

/** Takes events of another application into the log, all of a report or none. */
export const report = procedure('security:ingest')
  .meta({
    permission: 'security:ingest',
    rest: { method: 'POST', path: '/infrastructure/security/events' },
  })
  .input(z.strictObject({ source: label, events: z.array(reportedEvent).min(1).max(500) }))
  .mutation(({ ctx, input }) =>
    ctx.runtime.security.ingest(input, { session: ctx.session, by: callerOf(ctx) }),
  )

/** Levels of objects and arrays in each other. */
function depthOf(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0
  return 1 + Math.max(0, ...Object.values(value).map(depthOf))
}
