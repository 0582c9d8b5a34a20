/** A reader of SQL text, as far as it takes to find clauses that SQLite's pragmas don't tell. */

export interface Token {
  kind: 'word' | 'quoted' | 'string' | 'number' | 'blob' | 'symbol'
  /** As written; for 'quoted' and 'string' without quotes and with doubled quotes undone. */
  text: string
  /** In double quotes, which SQLite takes for a text where no column has this name. */
  double?: true
  start: number
  end: number
}

const PATTERN =
  /--[^\n]*|\/\*[\s\S]*?(?:\*\/|$)|\s+|([xX]'[0-9A-Fa-f]*')|('(?:[^']|'')*')|("(?:[^"]|"")*"|`(?:[^`]|``)*`|\[[^\]]*\])|((?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)|([A-Za-z_\u0080-\uffff][\w$\u0080-\uffff]*)|(<>|<=|>=|!=|==|\|\||<<|>>|[\s\S])/gy

/** Tokens of SQLite's SQL (https://www.sqlite.org/lang_keywords.html on quoting) without comments and spaces. */
export function tokenize(sql: string): Token[] {
  const tokens: Token[] = []
  for (const match of sql.matchAll(PATTERN)) {
    const [text, blob, string, quoted, number, word, symbol] = match
    const start = match.index
    const end = start + text.length
    if (blob !== undefined) tokens.push({ kind: 'blob', text: blob.slice(2, -1), start, end })
    else if (string !== undefined) tokens.push({ kind: 'string', text: unquote(string), start, end })
    else if (quoted !== undefined) {
      const double = quoted.startsWith('"')
      tokens.push({ kind: 'quoted', text: unquote(quoted), ...(double && { double }), start, end })
    } else if (number !== undefined) tokens.push({ kind: 'number', text: number, start, end })
    else if (word !== undefined) tokens.push({ kind: 'word', text: word, start, end })
    else if (symbol !== undefined) tokens.push({ kind: 'symbol', text: symbol, start, end })
  }
  return tokens
}

function unquote(text: string): string {
  const quote = text[0] as string
  const inner = text.slice(1, -1)
  return quote === '[' ? inner : inner.replaceAll(quote + quote, quote)
}

/** Whether the token is this bare word, in any case. */
export function isWord(token: Token | undefined, word: string): boolean {
  return token?.kind === 'word' && token.text.toUpperCase() === word
}

export type Deferrable = 'never' | 'immediate' | 'deferred'

/** For each REFERENCES of a CREATE TABLE in the order written: whether it is DEFERRABLE, and how it begins. */
export function deferrableReferences(sql: string): Deferrable[] {
  const tokens = tokenize(sql)
  const found: Deferrable[] = []
  for (let i = 0; i < tokens.length; i++) {
    if (!isWord(tokens[i], 'REFERENCES')) continue
    let deferrable: Deferrable = 'never'
    for (let j = i + 1, depth = 0; j < tokens.length && depth >= 0; j++) {
      const text = tokens[j]?.text
      if (tokens[j]?.kind === 'symbol') {
        if (text === '(') depth++
        else if (text === ')') depth--
        else if (text === ',' && depth === 0) break
      }
      if (isWord(tokens[j], 'REFERENCES')) break
      if (!isWord(tokens[j], 'DEFERRABLE') || isWord(tokens[j - 1], 'NOT')) continue
      const later = isWord(tokens[j + 1], 'INITIALLY') && isWord(tokens[j + 2], 'DEFERRED')
      deferrable = later ? 'deferred' : 'immediate'
    }
    found.push(deferrable)
  }
  return found
}

/** Index of the parenthesis that closes the one at `open`. */
export function closing(tokens: Token[], open: number): number {
  let depth = 0
  for (let i = open; i < tokens.length; i++) {
    if (tokens[i]?.kind !== 'symbol') continue
    if (tokens[i]?.text === '(') depth++
    else if (tokens[i]?.text === ')' && --depth === 0) return i
  }
  return tokens.length - 1
}
