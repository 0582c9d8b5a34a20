import type { z } from 'zod'

/** A parser of one variable: from its text to a value, and what it takes, in words. */
export interface Variable<T> {
  schema: z.ZodType<T, string | undefined>
  takes: string
  about: string
  secret?: boolean
  /** The default as the README shows it. */
  shown?: string
}

export function variable<T>(
  schema: z.ZodType<T, string | undefined>,
  takes: string,
  about: string,
  more: Partial<Variable<T>> = {},
): Variable<T> {
  return { schema, takes, about, ...more }
}
