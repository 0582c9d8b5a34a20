import { isWord, type Token, tokenize } from '../source/sqltext'

/** Why something is not translated: a sentence for the list of what is not carried. */
export class Refusal extends Error {}

/** Reads tokens one after the other. */
export interface Cursor {
  peek(ahead?: number): Token | undefined
  next(): Token
  /** Takes these words if all of them come next. */
  words(...words: string[]): boolean
  isNext(...words: string[]): boolean
  symbol(text: string): boolean
  expectSymbol(text: string): void
  expectWord(word: string): void
  /** Throws unless everything was read. */
  end(): void
}

/** Throws a Refusal at what is not understood. */
export function openCursor(sql: string): Cursor {
  const tokens = tokenize(sql)
  let at = 0
  const unexpected = (): never => {
    const token = tokens[at]
    throw new Refusal(token ? `${token.text} is not understood here.` : 'The text ends early.')
  }
  const cursor: Cursor = {
    peek: (ahead = 0) => tokens[at + ahead],
    next: () => tokens[at++] ?? unexpected(),
    isNext: (...words) => words.every((word, i) => isWord(tokens[at + i], word)),
    words(...words) {
      if (!cursor.isNext(...words)) return false
      at += words.length
      return true
    },
    symbol(text) {
      const token = tokens[at]
      if (token?.kind !== 'symbol' || token.text !== text) return false
      at++
      return true
    },
    expectSymbol(text) {
      if (!cursor.symbol(text)) unexpected()
    },
    expectWord(word) {
      if (!cursor.words(word)) unexpected()
    },
    end() {
      if (at < tokens.length) unexpected()
    },
  }
  return cursor
}

/** A name, bare or quoted. */
export function readName(cursor: Cursor): string {
  const token = cursor.next()
  if (token.kind !== 'word' && token.kind !== 'quoted' && token.kind !== 'string')
    throw new Refusal(`${token.text} is not a name.`)
  return token.text
}
