import { parentPort, workerData } from 'node:worker_threads'
import BetterSqlite3 from 'better-sqlite3'
import { adviseSqliteIndexes, findSqliteIndexProblems } from '../advisor'
import type { FileWork } from './advise-sqlite'

/** A thread that advises on one SQLite file, which it only reads, and ends. */
const { file, work } = workerData as FileWork
const client = new BetterSqlite3(file, { readonly: true, fileMustExist: true, timeout: 5_000 })
try {
  const advised = adviseSqliteIndexes(client, work)
  parentPort?.postMessage({ advised, problems: findSqliteIndexProblems(client) })
} finally {
  client.close()
}
