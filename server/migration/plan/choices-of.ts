import type { Choices, Plan } from '../types'

/** Choices that leave everything as planned: what an admin saves, edits and gives to another run. */
export function choicesOf({ tables }: Plan): Choices {
  return {
    version: 1,
    tables: Object.fromEntries(
      tables.map(({ source, target, columns }) => [
        source,
        {
          target,
          columns: Object.fromEntries(
            columns.map((column) => [
              column.source,
              {
                target: column.target,
                ...(column.options && { type: column.type }),
                nulls: 'keep' as const,
              },
            ]),
          ),
        },
      ]),
    ),
  }
}
