import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { openSqliteFile } from './open'

const folder = mkdtempSync(join(tmpdir(), 'holdfast-sqlite-'))
afterAll(() => rmSync(folder, { recursive: true }))

describe('SQLite handle', () => {
  it('is made with WAL, synchronous NORMAL and foreign keys', () => {
    const { client } = openSqliteFile(join(folder, 'new.sqlite'))
    const pragma = (name: string) => client.pragma(name, { simple: true })
    expect([pragma('journal_mode'), pragma('synchronous'), pragma('foreign_keys')]).toEqual(['wal', 1, 1])
    expect(pragma('busy_timeout')).toBe(5000)
    client.close()
  })

  it('counts and times statements and their errors', () => {
    const { client, metrics } = openSqliteFile(join(folder, 'counted.sqlite'))
    client.exec('CREATE TABLE once (n INTEGER PRIMARY KEY)')
    const before = metrics.queries
    const insert = client.prepare('INSERT INTO once VALUES (?)')
    insert.run(1)
    expect(() => insert.run(1)).toThrow(/UNIQUE/)
    expect(client.prepare('SELECT n FROM once').raw().all()).toEqual([[1]])
    expect(metrics.queries - before).toBe(3)
    expect(Object.fromEntries(metrics.errors)).toEqual({ SQLITE_CONSTRAINT_PRIMARYKEY: 1 })
    expect(metrics.queryTime.counts().count).toBe(metrics.queries)
    client.close()
  })

  it('refuses a file that is no database and leaves it as it was', () => {
    const file = join(folder, 'letter.txt')
    writeFileSync(file, 'Dear reader, this is a letter and not a database.')
    expect(() => openSqliteFile(file)).toThrow(`${file} is not a SQLite database.`)
    expect(() => openSqliteFile(folder)).toThrow(`${folder} is not a SQLite database.`)
    expect(readFileSync(file, 'utf8')).toMatch(/^Dear reader/)
  })

  it('refuses a damaged file and leaves it as it was', () => {
    const file = join(folder, 'damaged.sqlite')
    const { client } = openSqliteFile(file)
    client.exec('CREATE TABLE rows (text TEXT)')
    const insert = client.prepare('INSERT INTO rows VALUES (?)')
    for (let n = 0; n < 2_000; n++) insert.run('x'.repeat(100))
    client.close()
    const bytes = readFileSync(file)
    bytes.fill(0xab, 8192, 40_960)
    writeFileSync(file, bytes)
    expect(() => openSqliteFile(file)).toThrow(`${file} is damaged.`)
    expect(readFileSync(file).equals(bytes)).toBe(true)
  })

  it('says which file cannot be written', () => {
    const file = join(folder, 'locked.sqlite')
    openSqliteFile(file).client.close()
    chmodSync(file, 0o400)
    // Root may write every file: then it is nobody who tries.
    const root = process.geteuid?.() === 0
    if (root) process.seteuid?.(65_534)
    try {
      expect(() => openSqliteFile(file)).toThrow(/ can't be read and written\.$/)
    } finally {
      if (root) process.seteuid?.(0)
    }
  })

  it('says which folder does not exist', () => {
    expect(() => openSqliteFile(join(folder, 'nowhere', 'store.sqlite'))).toThrow(/can't be read and written/)
  })
})
