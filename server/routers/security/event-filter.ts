import { z } from 'zod'
import { severities } from '@/server/audit/severity'
import { parseSought } from '@/server/security/events/network'

const time = z.int().min(0).max(8_640_000_000_000_000)
const line = (most: number) => z.string().trim().min(1).max(most)

/** A list, as an array, or as text with commas between: so it stands in the query of an address. */
function listOf<T extends string>(item: z.ZodType<T, string>) {
  const list = z.array(item).max(100)
  const text = z
    .string()
    .max(4_000)
    .transform((value) =>
      value
        .split(',')
        .map((part) => part.trim())
        .filter((part) => part !== ''),
    )
    .pipe(list)
  return z.union([list, text]).optional()
}

/** Which events are meant (server/security/events/filter.ts): of the page's address, lists, histograms and exports. */
const filterShape = {
  from: time.optional(),
  to: time.optional(),
  events: listOf(z.string().regex(/^[a-z0-9_]{0,100}\*?$/i, 'a name, or its beginning and *')),
  actor: line(512).optional(),
  address: line(64)
    .refine((text) => parseSought(text) !== null, 'enter an address or a network, such as 10.0.0.0/8')
    .optional(),
  outcomes: listOf(z.enum(['success', 'failure', 'denied'])),
  severities: listOf(z.enum(severities)),
  target: line(512).optional(),
  source: line(512).optional(),
  session: line(512).optional(),
  text: z.string().max(200, 'use at most 200 characters').optional(),
}

/** The input of whatever takes a filter, with the fields of its own. */
export function eventFilter<T extends z.ZodRawShape>(more: T) {
  return z.strictObject({ ...filterShape, ...more }).refine(
    (input) => {
      const { from, to } = input as { from?: number; to?: number }
      return from === undefined || to === undefined || from < to
    },
    { path: ['to'], message: 'must be after from' },
  )
}
