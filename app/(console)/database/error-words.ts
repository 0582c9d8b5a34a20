/**
 * What an error code means to the one who looks, for codes that are met in practice: SQLSTATE (PostgreSQL manual,
 * appendix A), its classes, and SQLite's result codes.
 */
const WORDS: Record<string, string> = {
  '08000': 'Connection trouble',
  '08003': 'The connection was gone',
  '08006': 'The connection broke',
  '22001': 'A text is too long for its column',
  '22003': 'A number is out of range',
  '22007': 'A date or time is malformed',
  '22012': 'Division by zero',
  '22P02': 'A value is not of its type',
  '23502': 'A required value is missing',
  '23503': 'A row refers to one that is not there, or is still referred to',
  '23505': 'A value that must be unique is there already',
  '23514': 'A value breaks a check of its table',
  '25006': 'A write on a read-only server or transaction',
  '25P02': 'The transaction had failed already',
  '25P03': 'A transaction stood idle for too long',
  '26000': 'A prepared statement was not there, as behind a pooler',
  '28000': 'The role may not sign in',
  '28P01': 'The password is wrong',
  '40001': 'Two transactions met: one must be tried again',
  '40P01': 'Deadlock: one transaction was ended',
  '42501': 'The role has no right to it',
  '42601': 'The SQL is malformed',
  '42703': 'A column does not exist',
  '42883': 'A function does not exist',
  '42P01': 'A table does not exist',
  '42P05': 'A prepared statement was there already, as behind a pooler',
  '42P07': 'The table or index is there already',
  '53100': 'The server’s disk is full',
  '53200': 'The server is out of memory',
  '53300': 'The server admits no more connections',
  '55006': 'The object is in use',
  '55P03': 'A lock was not to be had in time',
  '57014': 'Cancelled: by hand, or at its deadline',
  '57P01': 'The session was ended by an administrator or a shutdown',
  '57P02': 'The server crashed',
  '57P03': 'The server is starting or stopping',
  ECONNREFUSED: 'The server refused the connection',
  ECONNRESET: 'The connection broke',
  ETIMEDOUT: 'The server did not answer in time',
  EPIPE: 'The connection broke',
  ENOTFOUND: 'The server’s name is unknown',
  DATABASE_UNAVAILABLE: 'No connection was to be had',
  SQLITE_BUSY: 'Another writer had the file for too long',
  SQLITE_LOCKED: 'A table was locked',
  SQLITE_READONLY: 'The file may only be read',
  SQLITE_FULL: 'The disk is full',
  SQLITE_IOERR: 'The disk failed',
  SQLITE_CORRUPT: 'The file is damaged',
  SQLITE_CANTOPEN: 'The file cannot be opened',
  SQLITE_CONSTRAINT: 'A value breaks a rule of its table',
  SQLITE_CONSTRAINT_UNIQUE: 'A value that must be unique is there already',
  SQLITE_CONSTRAINT_PRIMARYKEY: 'A value that must be unique is there already',
  SQLITE_CONSTRAINT_FOREIGNKEY: 'A row refers to one that is not there, or is still referred to',
  SQLITE_CONSTRAINT_NOTNULL: 'A required value is missing',
  SQLITE_CONSTRAINT_CHECK: 'A value breaks a check of its table',
  SQLITE_ERROR: 'The SQL is malformed, or names what is not there',
  SQLITE_INTERRUPT: 'Interrupted',
  OTHER: 'Without a code',
}

const CLASSES: Record<string, string> = {
  '08': 'Connection trouble',
  '0A': 'The server cannot do that',
  '22': 'A value does not fit',
  '23': 'A value breaks a rule of its table',
  '25': 'Wrong state of the transaction',
  '28': 'The role may not sign in',
  '40': 'The transaction was rolled back',
  '42': 'The SQL is malformed, names what is not there, or the role may not',
  '53': 'The server lacks disk, memory or connections',
  '54': 'A limit of the server was passed',
  '55': 'The object is not in the state for it',
  '57': 'An operator or the server ended it',
  '58': 'The server’s system failed',
  XX: 'A fault inside the server',
}

/** A few plain words for an error code; null where there are none. */
export function errorWords(code: string): string | null {
  const exact = Object.hasOwn(WORDS, code) ? WORDS[code] : undefined
  if (exact) return exact
  const sqlite = /^(SQLITE_[A-Z]+)_/.exec(code)?.[1]
  if (sqlite) return errorWords(sqlite)
  const group = /^[0-9A-Z]{5}$/.test(code) ? code.slice(0, 2) : ''
  return (Object.hasOwn(CLASSES, group) && CLASSES[group]) || null
}
