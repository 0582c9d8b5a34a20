import { closing, isWord, type Token, tokenize } from './sqltext'

/** A CHECK of a table or of one of its columns. */
export interface CheckClause {
  /** After CONSTRAINT, if it has one. */
  name: string | null
  /** The column that it was written with. */
  column: string | null
  expression: string
  /** The clause as written. */
  sql: string
}

export interface GeneratedClause {
  expression: string
  stored: boolean
  sql: string
}

/** What SQLite's pragmas don't tell of a CREATE TABLE. */
export interface TableClauses {
  checks: CheckClause[]
  /** By column in lower case. */
  generated: Map<string, GeneratedClause>
  /** By column in lower case: names in upper case, without BINARY. */
  collations: Map<string, string>
  /** ON CONFLICT clauses that do other than fail, as written. */
  conflicts: string[]
}

const CONSTRAINTS = ['CONSTRAINT', 'PRIMARY', 'UNIQUE', 'CHECK', 'FOREIGN']

/** Reads the clauses of a CREATE TABLE (https://www.sqlite.org/lang_createtable.html). */
export function tableClauses(sql: string): TableClauses {
  const clauses: TableClauses = { checks: [], generated: new Map(), collations: new Map(), conflicts: [] }
  const tokens = tokenize(sql)
  const open = tokens.findIndex((token) => token.kind === 'symbol' && token.text === '(')
  if (open < 0) return clauses
  for (const part of split(tokens.slice(open + 1, closing(tokens, open)))) readPart(sql, part, clauses)
  return clauses
}

/** Parts between the commas that stand in no parentheses. */
function split(tokens: Token[]): Token[][] {
  const parts: Token[][] = [[]]
  let depth = 0
  for (const token of tokens) {
    if (token.kind === 'symbol') depth += token.text === '(' ? 1 : token.text === ')' ? -1 : 0
    if (depth === 0 && token.kind === 'symbol' && token.text === ',') parts.push([])
    else parts.at(-1)?.push(token)
  }
  return parts.filter((part) => part.length > 0)
}

function readPart(sql: string, part: Token[], clauses: TableClauses): void {
  const first = part[0] as Token
  const ofTable = first.kind === 'word' && CONSTRAINTS.includes(first.text.toUpperCase())
  const column = ofTable ? null : first.text
  let name: string | null = null
  for (let i = ofTable ? 0 : 1; i < part.length; i++) {
    const token = part[i] as Token
    if (token.kind === 'symbol' && token.text === '(') {
      i = closing(part, i)
      continue
    }
    if (isWord(token, 'CONSTRAINT')) {
      name = part[++i]?.text ?? null
      continue
    }
    const opens = part[i + 1]?.kind === 'symbol' && part[i + 1]?.text === '('
    const end = opens ? closing(part, i + 1) : i
    const inner = opens ? sql.slice(part[i + 1]?.end, part[end]?.start).trim() : ''
    const whole = () => sql.slice(token.start, part[end]?.end)
    if (isWord(token, 'ON') && isWord(part[i + 1], 'CONFLICT') && !isWord(part[i + 2], 'ABORT'))
      clauses.conflicts.push(sql.slice(part[0]?.start, part.at(-1)?.end))
    if (isWord(token, 'CHECK') && opens) {
      clauses.checks.push({ name, column, expression: inner, sql: whole() })
    } else if (isWord(token, 'AS') && opens && column !== null) {
      const stored = isWord(part[end + 1], 'STORED')
      clauses.generated.set(column.toLowerCase(), { expression: inner, stored, sql: whole() })
    } else if (isWord(token, 'COLLATE') && column !== null) {
      const collation = (part[i + 1]?.text ?? '').toUpperCase()
      if (collation !== 'BINARY') clauses.collations.set(column.toLowerCase(), collation)
    }
    if (opens) i = end
    if (/^(CHECK|UNIQUE|KEY|NULL|DEFAULT|REFERENCES|COLLATE|AS)$/i.test(token.text)) name = null
  }
}
