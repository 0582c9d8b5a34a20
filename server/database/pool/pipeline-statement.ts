import { createHash } from 'node:crypto'
import { ByText } from '@/db/by-text'

/** `read` and `write` may share a connection, each with its like; `alone` needs one for itself. */
export type StatementKind = 'read' | 'write' | 'alone'

/** What is known of one text of a statement since it was first seen. */
export interface Statement {
  readonly text: string
  readonly kind: StatementKind
  /** It drops what a connection has prepared: the connection is not used again. */
  readonly resets: boolean
  /** How often it was sent. */
  sent: number
  /** How often it was answered, failures included, and the milliseconds at the server. */
  calls: number
  errors: number
  totalMs: number
  maxMs: number
  /** Milliseconds at the server, the last few answers weighing most. */
  recentMs: number
  /** How often it was slow of late. */
  slowness: number
  /** It runs on a connection of its own: by its kind, because it is slow, or not yet known. */
  alone: boolean
  name: string | undefined
}

/** An answer after so many milliseconds is slow: what is behind it on its connection notices. */
const SLOW_MS = 25
/** So many times as late as the machine makes everything anyway. */
const NOISE_TIMES = 2
/** One stray slow answer is forgiven after many quick ones; 1 % of slow ones is not. */
const SLOW_AT = 1.5
const FORGET = 0.998
/** A statement that mostly takes this long, and so many times as long as others, is slow too. */
const LONG_MS = 5
const LONG_TIMES = 4
const TEXTS = 2_000
/** Longer texts are made by a program for one use: nothing is learned from them. */
const LONGEST = 16_384

/** What was learned about statements, by their text. */
export class StatementBook {
  readonly #statements: ByText<Statement>
  readonly #noise: { readonly ms: number }
  /** How often a statement was found to need a connection of its own, or not any more. */
  turns = 0
  /** Answers since the start, by what was asked. */
  readonly answered = { reads: 0, others: 0 }
  /** What answers take on a connection, of all statements, the last few hundred weighing most. */
  #usualMs = 0

  constructor(noise: { readonly ms: number }, texts = TEXTS) {
    this.#noise = noise
    this.#statements = new ByText(readStatement, texts)
  }

  of(text: string): Statement {
    return text.length > LONGEST ? readStatement(text) : this.#statements.of(text)
  }

  /** Counts one answer and learns from its time, in milliseconds at the head of its connection. */
  learn(statement: Statement, milliseconds: number, failed: boolean): void {
    statement.calls++
    if (statement.kind === 'read') this.answered.reads++
    else this.answered.others++
    if (failed) statement.errors++
    statement.totalMs += milliseconds
    if (milliseconds > statement.maxMs) statement.maxMs = milliseconds
    const share = statement.calls === 1 ? 1 : 1 / 16
    statement.recentMs += (milliseconds - statement.recentMs) * share
    const slow = SLOW_MS + this.#noise.ms * NOISE_TIMES
    const weight = milliseconds > slow ? Math.min(4, milliseconds / slow) : 0
    statement.slowness = statement.slowness * FORGET + weight
    this.#usualMs += (milliseconds - this.#usualMs) / 256
    const long = statement.recentMs > LONG_MS && statement.recentMs > this.#usualMs * LONG_TIMES
    const alone = statement.kind === 'alone' || statement.slowness > SLOW_AT || long
    if (alone !== statement.alone) this.turns++
    statement.alone = alone
  }

  /** Those that were answered at least once. */
  list(): Statement[] {
    return this.#statements.list().filter(({ calls }) => calls > 0)
  }
}

/** The name it is prepared by, from its second use on: a text that is used once isn't worth the server's memory. */
export function nameOf(statement: Statement): string | undefined {
  if (statement.sent === 0 || statement.kind === 'alone') return undefined
  statement.name ??= `holdfast_${createHash('sha256').update(statement.text).digest('base64url').slice(0, 24)}`
  return statement.name
}

const START = /^(?:\s|--[^\n]*\n|\/\*[\s\S]*?\*\/|\()*([a-z]+)/i
const LOCKS = /\bfor\s+(?:no\s+key\s+)?(?:update|share)\b|\bfor\s+key\s+share\b/i
const WRITES = /\b(?:insert|update|delete|merge|into)\b/i
/** Functions whose effect belongs to the session. */
const SESSION = /\b(?:pg_(?:try_)?advisory\w*|set_config|setseed|currval|lastval)\s*\(/i
const RESETS = /^\s*(?:discard|deallocate)\b/i

/** Reads what kind of statement a text is. In doubt it is `alone`: slower, and right. */
function readStatement(text: string): Statement {
  return {
    text,
    kind: kindOf(text),
    resets: RESETS.test(text),
    sent: 0,
    calls: 0,
    errors: 0,
    totalMs: 0,
    maxMs: 0,
    recentMs: 0,
    slowness: 0,
    alone: true,
    name: undefined,
  }
}

/** Reads what kind of statement a text is, without any knowledge of the database. */
export function kindOf(text: string): StatementKind {
  if (text.length > LONGEST) return 'alone'
  const word = START.exec(text)?.[1]?.toLowerCase()
  // A second statement could open a transaction; one within quotes costs a connection, no more.
  const semicolon = text.indexOf(';')
  if (semicolon !== -1 && text.slice(semicolon + 1).trim() !== '') return 'alone'
  if (SESSION.test(text)) return 'alone'
  switch (word) {
    case 'select':
    case 'with':
    case 'values':
    case 'table':
      return LOCKS.test(text) || WRITES.test(text) ? 'write' : 'read'
    case 'insert':
    case 'update':
    case 'delete':
    case 'merge':
      return 'write'
    default:
      return 'alone'
  }
}
