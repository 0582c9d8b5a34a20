import { type Token, tokenise } from './tokens'

export interface Normalised {
  /** The statement with every value as $n: the same text for the same statement, whatever its values. Can be run. */
  text: string
  /** How many parameters `text` has. */
  parameters: number
  /** The literals that became parameters, as written. Never show them: they are somebody's data. */
  literals: string[]
}

const KEYWORDS = new Set(
  `all and any as asc between by case cross current delete desc distinct do else end except exists false fetch
  filter first following for from full group having ilike in inner insert intersect interval into is isnull join
  lateral left like limit natural next not notnull null nulls of offset on only or order outer over partition
  preceding recursive returning right row rows select set similar some then true unbounded union update using
  values when where window with`
    .trim()
    .split(/\s+/),
)

/** Types whose literals are written type 'text': as parameters they need a cast instead. */
const TYPED = new Set([
  'date',
  'interval',
  'json',
  'jsonb',
  'time',
  'timestamp',
  'timestamptz',
  'timetz',
  'uuid',
  'inet',
])

/**
 * Replaces literals by parameters, folds case and blanks, drops comments and a closing semicolon, and makes a list
 * of any length after IN a list of one: two statements that differ only in values get the same text.
 */
export function normaliseStatement(sql: string): Normalised {
  const tokens = folded(tokenise(sql))
  const literals: string[] = []
  const numbers = new Map<string, number>()
  let next = 0
  const number = (name?: string): number => {
    const known = name === undefined ? undefined : numbers.get(name)
    if (known) return known
    next++
    if (name !== undefined) numbers.set(name, next)
    return next
  }
  const parts: string[] = []
  for (let at = 0; at < tokens.length; at++) {
    const token = tokens[at] as Token
    const value = token.kind === 'word' && TYPED.has(token.text) ? tokens[at + 1] : undefined
    if (value?.kind === 'string') {
      literals.push(value.text)
      parts.push(`$${number()}::${token.text}`)
      at++
    } else if (value?.kind === 'param') {
      parts.push(`$${number(value.text === '?' ? undefined : value.text)}::${token.text}`)
      at++
    } else if (token.kind === 'string' || (token.kind === 'number' && !isPosition(tokens, at))) {
      literals.push(token.text)
      parts.push(`$${number()}`)
    } else if (token.kind === 'param') {
      parts.push(`$${number(token.text === '?' ? undefined : token.text)}`)
    } else parts.push(written(token))
  }
  return { text: joined(parts), parameters: next, literals }
}

/** pg_stat_statements writes `interval $1`, which no server reads; the cast after the value means the same. */
export function withCasts(text: string): string {
  const pairs = tokenise(text).flatMap((token, at, tokens) => {
    const value = tokens[at + 1]
    return token.kind === 'word' && TYPED.has(token.text) && value?.kind === 'param' ? [{ token, value }] : []
  })
  return pairs.reduceRight(
    (sql, { token, value }) =>
      `${sql.slice(0, token.start)}${value.text}::${token.text}${sql.slice(value.end)}`,
    text,
  )
}

/** Drops the last semicolons, joins signs with their numbers, and shortens lists of values after IN. */
function folded(tokens: Token[]): Token[] {
  const result: Token[] = []
  for (let at = 0; at < tokens.length; at++) {
    const token = tokens[at] as Token
    const before = result.at(-1)
    const signed =
      (token.text === '-' || token.text === '+') && tokens[at + 1]?.kind === 'number' && opensValue(before)
    if (signed) {
      const value = tokens[++at] as Token
      result.push({ ...value, text: token.text + value.text })
    } else result.push(token)
    const list = result.at(-2)?.text === 'in' && token.text === '(' ? valueList(tokens, at + 1) : undefined
    if (list) {
      result.push(list.first)
      at = list.end - 1
    }
  }
  while (result.at(-1)?.text === ';') result.pop()
  return result
}

function opensValue(before: Token | undefined): boolean {
  if (!before) return true
  if (before.kind === 'word') return KEYWORDS.has(before.text)
  return before.kind === 'mark' && before.text !== ')' && before.text !== ']'
}

/** A list of nothing but values: its first one, and where the closing parenthesis stands. */
function valueList(tokens: Token[], from: number): { first: Token; end: number } | undefined {
  let first: Token | undefined
  for (let at = from; at < tokens.length; at++) {
    const token = tokens[at] as Token
    if (token.text === ')' && token.kind === 'mark') return first ? { first, end: at } : undefined
    const value = token.kind === 'string' || token.kind === 'number' || token.kind === 'param'
    if (!value && !(token.kind === 'mark' && /^[,+-]$/.test(token.text))) return undefined
    if (value) first ??= token
  }
  return undefined
}

/** ORDER BY 2 and GROUP BY 1, 2 name columns of the result; as parameters they would mean something else. */
function isPosition(tokens: Token[], at: number): boolean {
  if (!/^\d+$/.test((tokens[at] as Token).text)) return false
  for (let back = at - 1; back > 0; back--) {
    const token = tokens[back] as Token
    const previous = tokens[back - 1] as Token
    if (token.text === 'by' && (previous.text === 'order' || previous.text === 'group')) {
      return tokens[at - 1] === token || tokens[at - 1]?.text === ','
    }
    const inList =
      token.text === ',' || token.kind === 'number' || token.kind === 'name' || token.kind === 'word'
    if (!inList && token.text !== '.') return false
    if (
      token.kind === 'word' &&
      KEYWORDS.has(token.text) &&
      !/^(asc|desc|nulls|first|last)$/.test(token.text)
    )
      return false
  }
  return false
}

/** A word in one case: keywords upper, names lower, as PostgreSQL folds them. */
function written(token: Token): string {
  if (token.kind === 'name') return quoteName(token.text)
  return token.kind === 'word' && KEYWORDS.has(token.text) ? token.text.toUpperCase() : token.text
}

/** An identifier, quoted where it must be. */
export function quoteName(name: string): string {
  return /^[a-z_][a-z0-9_]*$/.test(name) && !KEYWORDS.has(name) && !RESERVED.has(name)
    ? name
    : `"${name.replaceAll('"', '""')}"`
}

const RESERVED = new Set(
  `user table column default check primary references unique constraint create grant foreign array both collate
  current_date current_time current_timestamp current_user session_user localtime localtimestamp end leading
  trailing placing symmetric asymmetric analyse analyze cast deferrable initially variadic authorization
  binary collation concurrently freeze index key tablesample verbose to`
    .trim()
    .split(/\s+/),
)

/** One blank between words, none around dots, casts and inside parentheses. */
function joined(parts: string[]): string {
  let text = ''
  for (let at = 0; at < parts.length; at++) {
    const part = parts[at] as string
    const before = parts[at - 1]
    const tight =
      before === undefined ||
      /^([,;).[\]]|::)/.test(part) ||
      /^(\(|\.|::|\[)$/.test(before) ||
      (part === '(' && /^[a-z_"][^ ]*$/.test(before) && !KEYWORDS.has(before))
    text += tight ? part : ` ${part}`
  }
  return text
}
