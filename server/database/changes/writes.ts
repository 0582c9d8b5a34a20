import type { Clock } from '@/server/clock'
import type { TableFigures } from '../inspect/types'
import type { Source } from './source'

/** Writes are known after this long: a shorter look says little about a day. */
const WATCHED_MS = 10 * 60_000

/**
 * How much is written to each table. The server's counters tell no time, so two looks at them give a rate; a load
 * that filled the table months ago is then no reason against an index.
 */
export class Writes {
  readonly #clock: Clock
  readonly #database: () => Source
  #first: { of: unknown; at: number; rows: Map<string, number> } | undefined

  constructor({ clock, database }: { clock: Clock; database: () => Source }) {
    this.#clock = clock
    this.#database = database
  }

  /** Rows written to each table in as long as since `since`, by its name; empty until that is known. */
  async since(since: number | null): Promise<ReadonlyMap<string, number>> {
    const { inspect } = this.#database()
    const { tables } = await inspect.tables()
    const at = this.#clock.now()
    const rows = new Map(tables.flatMap((table) => written(table)))
    const first = this.#first
    if (first?.of !== inspect) {
      this.#first = { of: inspect, at, rows }
      return new Map()
    }
    if (since === null || at - first.at < WATCHED_MS) return new Map()
    const times = (at - since) / (at - first.at)
    return new Map(
      [...rows].flatMap(([name, now]) => {
        const grown = now - (first.rows.get(name) ?? 0)
        return grown < 0 ? [] : [[name, grown * times]]
      }),
    )
  }
}

function written({ name, inserts, updates, deletes }: TableFigures): [string, number][] {
  return inserts === null || updates === null || deletes === null ? [] : [[name, inserts + updates + deletes]]
}
