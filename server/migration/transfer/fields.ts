/** Arguments of one call that every SQLite and PostgreSQL take (https://www.postgresql.org/docs/current/limits.html: 100). */
const ARGUMENTS = 90

/** Fields that are never NULL as one text with `delimiter`, an SQL literal, between them; in several calls where they are many. */
export function joinFields(fields: readonly string[], delimiter: string): string {
  if (fields.length <= ARGUMENTS) return `concat_ws(${[delimiter, ...fields].join(', ')})`
  const groups: string[] = []
  for (let at = 0; at < fields.length; at += ARGUMENTS)
    groups.push(joinFields(fields.slice(at, at + ARGUMENTS), delimiter))
  return joinFields(groups, delimiter)
}

/** Terms added up in groups: SQLite's expressions are 1,000 deep at most. */
export function addUp(terms: readonly string[]): string {
  return grouped(terms, ' + ') || '0'
}

/** Conditions that all hold, in groups for the same reason. */
export function allOf(conditions: readonly string[]): string {
  return grouped(conditions, ' AND ') || 'true'
}

function grouped(terms: readonly string[], operator: string): string {
  if (terms.length <= ARGUMENTS) return terms.join(operator)
  const groups: string[] = []
  for (let at = 0; at < terms.length; at += ARGUMENTS)
    groups.push(`(${terms.slice(at, at + ARGUMENTS).join(operator)})`)
  return grouped(groups, operator)
}
