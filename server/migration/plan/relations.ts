import type { SourceTable } from '../source/source'
import { Refusal } from '../sql/cursor'
import { type Catalog, type Relation, shownAs } from '../sql/query'
import type { Typed } from '../sql/types'
import { qualified } from '../target/ddl'
import type { PlannedTable } from '../types'
import { tableColumns } from './scope'

/** Tables that are carried, and views as they are translated, by their names in the source. */
export interface Relations extends Catalog {
  add(name: string, relation: Relation): void
  has(name: string): boolean
}

export function openRelations(
  tables: readonly { source: SourceTable; planned: PlannedTable }[],
  schema: string,
  /** Translates a view that is asked for before its turn. */
  ask: (name: string) => void,
): Relations {
  const known = new Map<string, Relation>()
  const relations: Relations = {
    add: (name, relation) => known.set(name.toLowerCase(), relation),
    has: (name) => known.has(name.toLowerCase()),
    relation(name) {
      if (!relations.has(name)) ask(name)
      const found = known.get(name.toLowerCase())
      if (!found) throw new Refusal(`${name} is not carried as it is.`)
      return found
    },
  }
  for (const { source, planned } of tables) {
    relations.add(source.name, {
      sql: qualified(schema, planned.target),
      key: source.primaryKey.map((key) => key.name),
      table: { source, planned },
      columns(prefix) {
        const find = tableColumns(source, planned.columns, prefix)
        const columns = planned.columns.flatMap((column) => find(column.source) ?? [])
        const alias = source.rowidAlias === null ? undefined : find(source.rowidAlias)
        const hidden = source.columns.some((column) => column.name.toLowerCase() === 'rowid')
          ? undefined
          : alias
        return hidden ? [...columns, { ...hidden, source: 'rowid', hidden: true }] : columns
      },
    })
  }
  return relations
}

/** A view as what others may select from. */
export function viewRelation(
  schema: string,
  target: string,
  names: readonly string[],
  columns: readonly Typed[],
): Relation {
  return {
    sql: qualified(schema, target),
    key: [],
    columns: (prefix) => columns.map((column, i) => shownAs(column, names[i] as string, prefix)),
  }
}
