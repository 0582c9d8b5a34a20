import type Database from 'better-sqlite3'
import { quoteIdentifier as q, quoteLiteral } from '../plan/names'
import { inTransaction } from './install'

const PREFIX = 'holdfast_block_'

/**
 * Refuses every write to the source, with where its rows have gone and how to take the refusal back. Virtual tables
 * take no triggers: their names are answered.
 */
export function blockWrites(db: Database.Database, runId: string, place: string): string[] {
  const message = `This database has moved to PostgreSQL (${place}): put the application there. Holdfast refuses writes here; "Reopen the source" on its run takes that back.`
  return inTransaction(db, () => {
    dropBlock(db)
    const tables = db
      .prepare(
        `SELECT name, type FROM pragma_table_list WHERE schema = 'main' AND type IN ('table', 'virtual')
         AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' AND name NOT GLOB 'holdfast_capture_*' ORDER BY name`,
      )
      .all() as { name: string; type: string }[]
    let number = 0
    for (const { name } of tables.filter(({ type }) => type === 'table')) {
      for (const event of ['INSERT', 'UPDATE', 'DELETE']) {
        const trigger = `${PREFIX}${runId.replace(/[^0-9A-Za-z]/g, '').slice(-40)}_${number++}`
        db.exec(
          `CREATE TRIGGER ${q(trigger)} BEFORE ${event} ON ${q(name)} BEGIN SELECT RAISE(ABORT, ${quoteLiteral(message)}); END`,
        )
      }
    }
    return tables.filter(({ type }) => type === 'virtual').map(({ name }) => name)
  })
}

/** Lets the application write again. */
export function unblockWrites(db: Database.Database): void {
  inTransaction(db, () => dropBlock(db))
}

export function isBlocked(db: Database.Database): boolean {
  return (
    db.prepare(`SELECT 1 FROM sqlite_schema WHERE type = 'trigger' AND name GLOB '${PREFIX}*'`).get() !==
    undefined
  )
}

function dropBlock(db: Database.Database): void {
  const names = db
    .prepare(`SELECT name FROM sqlite_schema WHERE type = 'trigger' AND name GLOB '${PREFIX}*'`)
    .pluck()
    .all() as string[]
  for (const name of names) db.exec(`DROP TRIGGER ${q(name)}`)
}
