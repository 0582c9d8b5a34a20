import { listPrograms } from '../source/programs'
import type { SourceSchema, SourceTable } from '../source/source'
import type { TargetTable } from '../target/catalog'
import type {
  ColumnEvidence,
  CompareForm,
  Plan,
  PlannedColumn,
  PlannedTable,
  Render,
  TableEvidence,
} from '../types'
import { planScan } from './plan'
import { parentsFirst } from './plan-existing'

/**
 * The plan to compare a target by that something else has filled: types from its catalogue, whatever they are. What the
 * target doesn't have is left out here and named red by the validation (validation/structure-compared.ts).
 */
export function planCompare(
  schema: SourceSchema,
  evidence: ReadonlyMap<string, TableEvidence>,
  catalog: readonly TargetTable[],
  targetSchema: string,
): Plan {
  const tables = schema.tables.flatMap((table) => {
    const target = findByName(catalog, table.name)
    return target ? matchTable(table, evidence.get(table.name) as TableEvidence, target) : []
  })
  return {
    source: schema.facts,
    schema: targetSchema,
    mode: 'compare',
    tables: parentsFirst(tables),
    notCarried: [...schema.notCarried, ...listPrograms(schema)],
  }
}

/** As written, or else in another case: other tools fold names to lower case. */
export function findByName<T extends { name: string }>(items: readonly T[], name: string): T | undefined {
  return (
    items.find((one) => one.name === name) ??
    items.find((one) => one.name.toLowerCase() === name.toLowerCase())
  )
}

function matchTable(table: SourceTable, evidence: TableEvidence, target: TargetTable): PlannedTable[] {
  const columns: PlannedColumn[] = []
  table.columns.forEach((column, i) => {
    const match = findByName(target.columns, column.name)
    const found = evidence.columns[i]
    if (!match || !found) return
    columns.push({
      source: column.name,
      target: match.name,
      declaredType: column.declaredType,
      type: match.type,
      nullable: true,
      evidence: found,
      ...formOf(match.type, found),
    })
  })
  if (columns.length === 0) return []
  const fed = target.columns.find((one) => one.sequence && columns.some((c) => c.target === one.name))
  return [
    {
      source: table.name,
      target: target.name,
      rows: evidence.rows,
      bytes: evidence.columns.reduce((sum, column) => sum + column.bytes, 0),
      columns,
      primaryKey: target.primaryKey,
      indexes: [],
      foreignKeys: [],
      ...(fed && { identity: { column: fed.name, last: table.sequence ?? evidence.rowids?.max ?? null } }),
      scan: planScan(table, evidence),
      notes: [],
    },
  ]
}

/** How values are compared by the type that they have in the target. */
function formOf(type: string, evidence: ColumnEvidence): { render: Render; compare?: CompareForm } {
  const { integers, reals, texts, blobs } = evidence
  if (/^(smallint|integer|bigint)$/.test(type) && reals + texts + blobs === 0) return { render: 'integer' }
  if (type === 'double precision' && integers + texts + blobs === 0) return { render: 'real' }
  if (/^(smallint|integer|bigint|real|double precision|numeric)/.test(type))
    return { render: 'numeric', compare: 'number' }
  if (type === 'boolean') return { render: 'boolean', compare: 'boolean' }
  if (type === 'bytea') return { render: 'bytes', compare: 'bytes' }
  if (type === 'date') return { render: 'time', compare: 'date' }
  if (type.startsWith('timestamp'))
    return { render: 'time', compare: type.endsWith('with time zone') ? 'instant' : 'time' }
  if (type === 'uuid') return { render: 'uuid', compare: 'uuid' }
  if (type === 'jsonb') return { render: 'jsonb' }
  return { render: 'text', compare: 'text' }
}
