import type { Result } from 'pg'
import { databaseCode } from '@/db/errors'

/** What pg's Result makes of a row description: the same for every answer of a statement prepared by name. */
export interface RowShape {
  fields: Result['fields']
  parsers: unknown
  empty: unknown
}

/** The parts of pg's Connection that prepared statements stand on. */
export interface StatementWire {
  parsedStatements: Record<string, string>
  submittedNamedStatements: Record<string, string>
  close(message: { type: 'S'; name: string }): void
}

/**
 * The statements that one connection has prepared, at most `most`; the one unused for longest is closed.
 * The server fixes the row description of a statement when it is prepared ("cached plan must not change result
 * type"), so it is asked for once.
 */
export class PreparedStatements {
  readonly #known = new Map<string, RowShape | null>()
  readonly #most: number

  constructor(most: number) {
    this.#most = most
  }

  get size(): number {
    return this.#known.size
  }

  /** The row description, when the statement stands and was answered before. Called when it is about to be sent. */
  use(wire: StatementWire, name: string): RowShape | undefined {
    const shape = this.#known.get(name)
    if (shape !== undefined && wire.parsedStatements[name] !== undefined) {
      // Order matters only when something must go soon.
      if (this.#known.size > this.#most * 0.8) {
        this.#known.delete(name)
        this.#known.set(name, shape)
      }
      return shape ?? undefined
    }
    if (shape === undefined) {
      this.#known.set(name, null)
      this.#closeOldest(wire, name)
    }
    return undefined
  }

  /** Whether a statement can be sent without Parse and Describe. */
  stands(wire: StatementWire, name: string): boolean {
    return Boolean(this.#known.get(name)) && wire.parsedStatements[name] !== undefined
  }

  answered(name: string, shape: RowShape): void {
    if (this.#known.get(name) === null) this.#known.set(name, shape)
  }

  /** Closes a statement that must be prepared anew. */
  drop(wire: StatementWire, name: string): void {
    this.#known.delete(name)
    if (wire.parsedStatements[name] === undefined) return
    wire.close({ type: 'S', name })
    delete wire.parsedStatements[name]
  }

  #closeOldest(wire: StatementWire, kept: string): void {
    if (this.#known.size <= this.#most) return
    for (const name of this.#known.keys()) {
      // What is still on its way to the server can't be closed yet.
      if (name === kept || wire.parsedStatements[name] === undefined) continue
      this.drop(wire, name)
      return
    }
  }
}

/**
 * What a failure says of the statement that was prepared under a name: the server doesn't know it, knows it already,
 * or planned it for columns that are others now. Undefined when it says nothing of the kind.
 */
export function nameFailure(error: unknown): 'unknown' | 'known' | 'stale' | undefined {
  const code = databaseCode(error)
  if (code === '26000') return 'unknown'
  if (code === '42P05') return 'known'
  return code === '0A000' && /cached plan/.test((error as Error).message) ? 'stale' : undefined
}
