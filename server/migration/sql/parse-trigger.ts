import type { Expr, Select } from './ast'
import { type Cursor, openCursor, Refusal, readName } from './cursor'
import { readExpression, readList } from './parse'
import { parseSelect } from './parse-select'

export interface Trigger {
  time: 'BEFORE' | 'AFTER' | 'INSTEAD OF'
  event: 'INSERT' | 'UPDATE' | 'DELETE'
  /** UPDATE OF these columns alone. */
  of: string[]
  table: string
  when?: Expr
  body: Statement[]
}

export type Statement =
  | { kind: 'insert'; table: string; columns: string[] | null; rows: Expr[][] | Select }
  | { kind: 'update'; table: string; set: { column: string; value: Expr }[]; where?: Expr }
  | { kind: 'delete'; table: string; where?: Expr }
  | { kind: 'select'; select: Select }

/** A CREATE TRIGGER (https://www.sqlite.org/lang_createtrigger.html). Throws a Refusal at what is not understood. */
export function parseTrigger(sql: string): Trigger {
  const cursor = openCursor(sql)
  cursor.expectWord('CREATE')
  cursor.expectWord('TRIGGER')
  cursor.words('IF', 'NOT', 'EXISTS')
  readTable(cursor)
  const time = cursor.words('INSTEAD', 'OF') ? 'INSTEAD OF' : cursor.words('AFTER') ? 'AFTER' : 'BEFORE'
  if (time === 'BEFORE') cursor.words('BEFORE')
  const event = (['INSERT', 'UPDATE', 'DELETE'] as const).find((word) => cursor.words(word))
  if (!event) throw new Refusal('The event of the trigger is not understood.')
  const of = event === 'UPDATE' && cursor.words('OF') ? readNames(cursor) : []
  cursor.expectWord('ON')
  const table = readTable(cursor)
  cursor.words('FOR', 'EACH', 'ROW')
  const when = cursor.words('WHEN') ? readExpression(cursor) : undefined
  cursor.expectWord('BEGIN')
  const body: Statement[] = []
  while (!cursor.words('END')) {
    body.push(readStatement(cursor))
    cursor.expectSymbol(';')
  }
  cursor.symbol(';')
  cursor.end()
  return { time, event, of, table, ...(when && { when }), body }
}

function readTable(cursor: Cursor): string {
  const name = readName(cursor)
  return cursor.symbol('.') ? readName(cursor) : name
}

function readNames(cursor: Cursor): string[] {
  const names = [readName(cursor)]
  while (cursor.symbol(',')) names.push(readName(cursor))
  return names
}

function readStatement(cursor: Cursor): Statement {
  if (cursor.isNext('SELECT')) return { kind: 'select', select: parseSelect(cursor) }
  if (cursor.words('INSERT', 'INTO')) return readInsert(cursor)
  if (cursor.words('DELETE', 'FROM')) {
    const table = readTable(cursor)
    return { kind: 'delete', table, ...readWhere(cursor) }
  }
  if (!cursor.words('UPDATE') || cursor.isNext('OR'))
    throw new Refusal('A statement of its body is not translated: REPLACE, OR IGNORE or the like.')
  const table = readTable(cursor)
  cursor.expectWord('SET')
  const set: { column: string; value: Expr }[] = []
  do {
    const column = readName(cursor)
    cursor.expectSymbol('=')
    set.push({ column, value: readExpression(cursor) })
  } while (cursor.symbol(','))
  return { kind: 'update', table, set, ...readWhere(cursor) }
}

function readInsert(cursor: Cursor): Statement {
  const table = readTable(cursor)
  let columns: string[] | null = null
  if (cursor.symbol('(')) {
    columns = readNames(cursor)
    cursor.expectSymbol(')')
  }
  if (cursor.isNext('SELECT')) return { kind: 'insert', table, columns, rows: parseSelect(cursor) }
  cursor.expectWord('VALUES')
  const rows: Expr[][] = []
  do {
    cursor.expectSymbol('(')
    rows.push(readList(cursor))
    cursor.expectSymbol(')')
  } while (cursor.symbol(','))
  return { kind: 'insert', table, columns, rows }
}

function readWhere(cursor: Cursor): { where?: Expr } {
  return cursor.words('WHERE') ? { where: readExpression(cursor) } : {}
}
