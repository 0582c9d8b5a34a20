/** Words that begin a line of their own, the longest first: where they stand in a query and not in a call. */
const CLAUSES =
  /^(?:select|from|where|group by|having|order by|limit|offset|fetch|for|window|returning|set|values|union all|union|intersect|except|on conflict|insert into|(?:(?:natural )?(?:left|right|full|inner|cross)(?: outer)? )?join|and|or)$/
const STARTERS = /^(?:select|with|insert|update|delete|values)$/
/** Words that belong to the one before or after them. */
const PAIRS: Record<string, readonly string[]> = {
  group: ['by'],
  order: ['by'],
  union: ['all'],
  on: ['conflict'],
  insert: ['into'],
  natural: ['join', 'left', 'right', 'full', 'inner'],
  left: ['join', 'outer'],
  right: ['join', 'outer'],
  full: ['join', 'outer'],
  inner: ['join'],
  cross: ['join'],
  outer: ['join'],
}
const TOKENS =
  /--[^\n]*|\/\*[\s\S]*?\*\/|\$([A-Za-z_]*)\$[\s\S]*?\$\1\$|'(?:''|[^'])*'|"(?:""|[^"])*"|`[^`]*`|\s+|[A-Za-z_][\w$]*|[\s\S]/g

interface Frame {
  kind: 'query' | 'call' | 'case'
  indent: number
}

/**
 * SQL with a line for each clause, conditions indented, and subqueries further in. Words, their case and everything
 * in quotes stay as they are. What has a comment to the end of its line is left alone.
 */
export function layOut(sql: string): string {
  const tokens = sql.trim().match(TOKENS) ?? []
  if (tokens.some((token) => token.startsWith('--'))) return sql.trim()
  const frames: Frame[] = [{ kind: 'query', indent: 0 }]
  let out = ''
  let between = false
  let before = ''
  for (let at = 0; at < tokens.length; at++) {
    const token = tokens[at] as string
    const frame = frames.at(-1) as Frame
    if (/^\s+$/.test(token)) {
      out += out.endsWith('\n') || /[ (]$/.test(out) ? '' : ' '
      continue
    }
    if (token === '(') {
      const inner = STARTERS.test((nextWord(tokens, at) ?? '').toLowerCase())
      frames.push({ kind: inner ? 'query' : 'call', indent: frame.indent + (inner ? 4 : 0) })
      out += token
      before = token
      continue
    }
    if (token === ')') {
      while (frames.length > 1 && frames.at(-1)?.kind === 'case') frames.pop()
      const closed = frames.length > 1 ? frames.pop() : undefined
      if (closed?.kind === 'query') out = `${out.trimEnd()}\n${' '.repeat(frames.at(-1)?.indent ?? 0)}  `
      out = closed?.kind === 'query' ? `${out}${token}` : `${out.trimEnd()}${token}`
      before = token
      continue
    }
    const [phrase, last] = phraseAt(tokens, at)
    const word = phrase.toLowerCase()
    if (word === 'case') frames.push({ kind: 'case', indent: frame.indent })
    else if (word === 'end' && frame.kind === 'case') frames.pop()
    const ends = word === 'and' && between
    if (word === 'between') between = true
    else if (ends) between = false
    // IS DISTINCT FROM and DELETE FROM begin no clause by their second word.
    const clause =
      frame.kind === 'query' &&
      CLAUSES.test(word) &&
      !ends &&
      !(word === 'from' && /^(?:distinct|delete)$/.test(before))
    if (clause && out.trim() !== '') {
      const deeper = word === 'and' || word === 'or' ? 2 : 0
      out = `${out.trimEnd()}\n${' '.repeat(frame.indent + deeper)}`
    }
    out += phrase
    before = word
    at = last
  }
  return out.trim()
}

/** The words that belong together from one token on, and the place of the last of them. */
function phraseAt(tokens: readonly string[], at: number): [phrase: string, last: number] {
  let phrase = tokens[at] as string
  let last = at
  for (;;) {
    const follows = PAIRS[(tokens[last] as string).toLowerCase()]
    const blank = tokens[last + 1]
    const next = tokens[last + 2]
    if (!follows || !blank || !next || !/^\s+$/.test(blank) || !follows.includes(next.toLowerCase())) {
      return [phrase, last]
    }
    phrase += ` ${next}`
    last += 2
  }
}

const nextWord = (tokens: readonly string[], at: number): string | undefined =>
  tokens.slice(at + 1, at + 3).find((token) => !/^\s+$/.test(token))
