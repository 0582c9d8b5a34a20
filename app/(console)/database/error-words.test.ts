import { describe, expect, test } from 'vitest'
import { errorWords } from './error-words'

describe('words for error codes', () => {
  test('tell the common ones', () => {
    expect(errorWords('23505')).toBe('A value that must be unique is there already')
    expect(errorWords('40P01')).toContain('Deadlock')
    expect(errorWords('SQLITE_BUSY')).toContain('Another writer')
  })
  test('tell the class of a code that has no words of its own', () => {
    expect(errorWords('23P01')).toBe('A value breaks a rule of its table')
    expect(errorWords('XX002')).toBe('A fault inside the server')
  })
  test('tell an extended code of SQLite as the one it belongs to', () => {
    expect(errorWords('SQLITE_BUSY_SNAPSHOT')).toBe(errorWords('SQLITE_BUSY'))
    expect(errorWords('SQLITE_IOERR_WRITE')).toBe('The disk failed')
  })
  test('say nothing of what is unknown', () => {
    expect(errorWords('SQLITE_SOMETHING')).toBeNull()
    expect(errorWords('ZZ999')).toBeNull()
    expect(errorWords('toString')).toBeNull()
    expect(errorWords('')).toBeNull()
  })
})
