import { type Column, type SQL, sql } from 'drizzle-orm'

/** Whether a column holds a text, whatever the case of its ASCII letters. */
export function holds(column: Column, text: string): SQL {
  return sql`lower(${column}) like ${`%${literal(text)}%`} escape '\\'`
}

/** Whether a column begins with a text, likewise. Also to sort by: `desc(begins(column, text))` brings those first. */
export function begins(column: Column, text: string): SQL {
  return sql`lower(${column}) like ${`${literal(text)}%`} escape '\\'`
}

const literal = (text: string) => text.toLowerCase().replaceAll(/[%_\\]/g, '\\$&')
