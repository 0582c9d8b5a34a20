import type { Db } from './open'
import type { Store } from './store'
import type { Tables } from './tables'

/** Prepares a query once for each handle that the store stands on: a switchover brings another one. */
export function preparedOn<Q>(prepare: (db: Db, tables: Tables) => Q): (store: Store) => Q {
  const known = new WeakMap<Db, Q>()
  return ({ db, tables }) => {
    const found = known.get(db)
    if (found) return found
    const made = prepare(db, tables)
    known.set(db, made)
    return made
  }
}
