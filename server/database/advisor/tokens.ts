/** A lexer for the SQL of PostgreSQL and SQLite; enough of it to find clauses, columns, values and comments. */

export interface Token {
  /** word: a bare name or keyword · name: a quoted one · param: $1, ?, :x · mark: an operator or punctuation. */
  kind: 'word' | 'name' | 'string' | 'number' | 'param' | 'mark'
  /** As written; of a word in lower case, of a name without its quotes. */
  text: string
  start: number
  end: number
}

/** One pattern a kind, tried in turn at each place. Dollar quotes and nested comments are read by hand. */
const PATTERNS: [Token['kind'] | 'blank', RegExp][] = [
  ['blank', /\s+|--[^\n]*/y],
  ['string', /[eE]'(?:[^'\\]|\\[\s\S]|'')*'/y],
  ['string', /(?:[bBxXnN]|[uU]&)?'(?:[^']|'')*'/y],
  ['name', /(?:[uU]&)?"(?:[^"]|"")*"|`(?:[^`]|``)*`/y],
  ['number', /0[xX][\da-fA-F_]+|(?:\d[\d_]*(?:\.(?!\.)[\d_]*)?|\.\d[\d_]*)(?:[eE][+-]?\d+)?/y],
  ['param', /\$\d+|\?\d*|[:@$][A-Za-z_]\w*/y],
  ['word', /[\p{L}_][\p{L}\p{N}_$]*/uy],
  [
    'mark',
    /::|:=|<=|>=|<>|!=|==|\|\||->>?|#>>?|<@|@>|~~\*?|!~~\*?|!~\*?|~\*|&&|[-+*/%<>=~!@#^&|?.,;()[\]:]/y,
  ],
]

/** Splits a statement into tokens; comments and blanks are left out. What cannot be read becomes a mark. */
export function tokenise(sql: string): Token[] {
  const tokens: Token[] = []
  let at = 0
  while (at < sql.length) {
    if (sql.startsWith('/*', at)) {
      at = endOfComment(sql, at)
      continue
    }
    const dollar = dollarQuote(sql, at)
    if (dollar > at) {
      tokens.push({ kind: 'string', text: sql.slice(at, dollar), start: at, end: dollar })
      at = dollar
      continue
    }
    const found = match(sql, at, tokens.at(-1))
    if (found.kind !== 'blank') tokens.push(found as Token)
    at = found.end
  }
  return tokens
}

function match(
  sql: string,
  at: number,
  before: Token | undefined,
): Omit<Token, 'kind'> & { kind: Token['kind'] | 'blank' } {
  for (const [kind, pattern] of PATTERNS) {
    // A jsonb operator, not a parameter, where a value has just ended: data ? 'key'.
    if (kind === 'param' && sql[at] === '?' && endsValue(before)) continue
    pattern.lastIndex = at
    const text = pattern.exec(sql)?.[0]
    if (text) return { kind, text: spelled(kind, text), start: at, end: at + text.length }
  }
  // A bracketed name of SQLite begins like an array: only a mark is told here. So is a quote that never ends.
  return { kind: 'mark', text: sql[at] as string, start: at, end: at + 1 }
}

function endsValue(token: Token | undefined): boolean {
  if (!token) return false
  if (token.kind === 'word') return !BEFORE_VALUE.has(token.text)
  return token.kind !== 'mark' || token.text === ')' || token.text === ']'
}

/** Words after which a value begins: a ? there is a parameter. */
const BEFORE_VALUE = new Set(
  'and or not where on having when then else case limit offset like ilike between in is select set values returning by'.split(
    ' ',
  ),
)

function spelled(kind: Token['kind'] | 'blank', text: string): string {
  if (kind === 'word') return text.toLowerCase()
  if (kind !== 'name') return text
  const quote = text.at(-1) as string
  return text.slice(text.indexOf(quote) + 1, -1).replaceAll(quote + quote, quote)
}

/** PostgreSQL's comments nest; SQLite's end at the first mark, which is the same where nobody nests them. */
function endOfComment(sql: string, start: number): number {
  let depth = 0
  for (let at = start; at < sql.length; at++) {
    if (sql.startsWith('/*', at)) {
      depth++
      at++
    } else if (sql.startsWith('*/', at)) {
      depth--
      at++
      if (depth === 0) return at + 1
    }
  }
  return sql.length
}

function dollarQuote(sql: string, at: number): number {
  if (sql[at] !== '$') return at
  const tag = /^\$(?:[\p{L}_][\p{L}\p{N}_]*)?\$/u.exec(sql.slice(at, at + 66))?.[0]
  if (!tag) return at
  const end = sql.indexOf(tag, at + tag.length)
  return end < 0 ? sql.length : end + tag.length
}
