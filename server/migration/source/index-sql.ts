import { closing, isWord, type Token, tokenize } from './sqltext'

/** Keys of a CREATE INDEX as written, without ASC and DESC, and its predicate (https://www.sqlite.org/lang_createindex.html). */
export function indexClauses(sql: string): { keys: string[]; where: string | null } {
  const tokens = tokenize(sql)
  const on = tokens.findIndex((token) => isWord(token, 'ON'))
  const open = tokens.findIndex((token, i) => i > on && token.kind === 'symbol' && token.text === '(')
  if (on < 0 || open < 0) return { keys: [], where: null }
  const end = closing(tokens, open)
  const keys: Token[][] = [[]]
  let depth = 0
  for (const token of tokens.slice(open + 1, end)) {
    if (token.kind === 'symbol') depth += token.text === '(' ? 1 : token.text === ')' ? -1 : 0
    if (depth === 0 && token.kind === 'symbol' && token.text === ',') keys.push([])
    else keys.at(-1)?.push(token)
  }
  const where = tokens[end + 1]
  return {
    keys: keys.map((key) => {
      const last = key.at(-1)
      const ordered = isWord(last, 'ASC') || isWord(last, 'DESC')
      return sql.slice(key[0]?.start, (ordered ? key.at(-2) : last)?.end)
    }),
    where: where && isWord(where, 'WHERE') ? sql.slice(where.end).trim() : null,
  }
}
