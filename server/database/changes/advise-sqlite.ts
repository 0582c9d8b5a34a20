import { join } from 'node:path'
import { Worker } from 'node:worker_threads'
import type { WorkStatement } from '../advisor'
import { type Found, NoAdvice, TOO_LONG } from './found'

/** What the thread is given. */
export interface FileWork {
  file: string
  work: WorkStatement[]
}

/** The build puts it there; the console runs in the project's folder. */
const builtWorker = () => join(process.cwd(), 'dist', 'advisor-worker.mjs')

/** Advises on a SQLite file in a thread of its own: copying its schema and planning on it takes seconds. */
export function adviseOnFile(file: string, work: WorkStatement[], deadlineMs: number): Promise<Found> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(builtWorker(), { name: 'holdfast-advisor', workerData: { file, work } })
    const timer = setTimeout(() => {
      reject(new NoAdvice(TOO_LONG))
      void worker.terminate()
    }, deadlineMs)
    timer.unref()
    worker.unref()
    worker.once('message', (found: Found) => resolve(found))
    worker.once('error', reject)
    worker.once('exit', () => {
      clearTimeout(timer)
      reject(new Error('The advisor’s thread ended without an answer.'))
    })
  })
}
