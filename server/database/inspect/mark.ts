/** Stands in every statement of the inspection: by it they are left out of what is counted. */
export const MARK = '/* holdfast:inspect */'

/** Behind the first word: PostgreSQL 18 leaves comments before it out of what it counts. */
export function marked(sql: string): string {
  return sql.replace(/^\s*\w+/, (word) => `${word} ${MARK}`)
}
