import type Database from 'better-sqlite3'
import type { NotCarried } from '../types'

export interface SourceView {
  name: string
  sql: string
  columns: string[]
  /** Why SQLite can't read it. */
  problem?: string
}

export interface SourceTrigger {
  name: string
  table: string
  sql: string
}

/** Views in the order in which they were made. */
export function inspectViews(db: Database.Database): SourceView[] {
  const listed = db.prepare(`SELECT name, sql FROM sqlite_schema WHERE type = 'view' ORDER BY rowid`)
  const columns = db.prepare('SELECT name FROM pragma_table_xinfo(?)').pluck()
  return (listed.all() as { name: string; sql: string }[]).map((view) => {
    try {
      const names = columns.all(view.name) as string[]
      return names.length > 0
        ? { ...view, columns: names }
        : { ...view, columns: [], problem: 'it has no columns' }
    } catch (error) {
      return { ...view, columns: [], problem: (error as Error).message }
    }
  })
}

export function inspectTriggers(db: Database.Database): SourceTrigger[] {
  const sql = `SELECT name, tbl_name AS "table", sql FROM sqlite_schema WHERE type = 'trigger' AND name NOT GLOB 'holdfast_*' ORDER BY rowid`
  return db.prepare(sql).all() as SourceTrigger[]
}

/** Views and triggers where the target's tables are made by somebody else. */
export function listPrograms(schema: { views: SourceView[]; triggers: SourceTrigger[] }): NotCarried[] {
  const reason = 'The tables were made by somebody else, and so is what belongs to them.'
  return [
    ...schema.views.map(({ name, sql }) => ({ kind: 'view' as const, name, reason, sql })),
    ...schema.triggers.map(({ name, sql }) => ({ kind: 'trigger' as const, name, reason, sql })),
  ]
}
