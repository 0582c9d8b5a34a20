import { z } from 'zod'
import type { Choices } from '../types'
import { invalidChoices } from './choices'
import { NAME_BYTES } from './names'

const target = z
  .string()
  .min(1, 'a name')
  .refine((name) => !name.includes('\0'), 'a name without NUL')
  .refine((name) => Buffer.byteLength(name) <= NAME_BYTES, `a name of at most ${NAME_BYTES} bytes`)

const column = z.strictObject({
  exclude: z.literal(true).optional(),
  target: target.optional(),
  type: z.string().min(1).max(200).optional(),
  nulls: z.enum(['keep', 'reject', 'default']).optional(),
})

const table = z.strictObject({
  exclude: z.literal(true).optional(),
  target: target.optional(),
  plain: z.literal(true).optional(),
  columns: z.record(z.string(), column).optional(),
})

const limit = z.int().min(0).max(1_000_000_000)

/** The shape of choices, as they come from a page, a program or a file. Whether they fit a source is checked with its plan. */
export const choicesSchema: z.ZodType<Choices> = z.strictObject({
  version: z.literal(1),
  rejects: z.strictObject({ perTable: limit, perRun: limit }).optional(),
  tables: z.record(z.string(), table).optional(),
  leaveOut: z.array(z.string()).max(10_000).optional(),
}) as z.ZodType<Choices>

/** Reads a file of choices. Throws CHOICES_INVALID with the place of everything that is wrong. */
export function parseChoices(text: string): Choices {
  let json: unknown
  try {
    json = JSON.parse(text)
  } catch (error) {
    throw invalidChoices([`it is not JSON (${(error as Error).message})`])
  }
  const parsed = choicesSchema.safeParse(json)
  if (parsed.success) return parsed.data
  throw invalidChoices(
    parsed.error.issues.map(
      (issue) => `${issue.path.map(String).join(' › ') || 'the file'}: ${issue.message}`,
    ),
  )
}
