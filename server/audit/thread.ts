import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { Worker } from 'node:worker_threads'
import type { VerificationResult, VerifyTask } from './verify-log'

/** The build puts it there; the console and its commands run in the project's folder. */
function builtWorker(): string {
  const beside = join(import.meta.dirname, 'audit-worker.mjs')
  return existsSync(beside) ? beside : join(process.cwd(), 'dist', 'audit-worker.mjs')
}

type Message = { rows: number; last: number } | { result: VerificationResult }

export interface VerifyingThread {
  result: Promise<VerificationResult>
  /** Ends it without a result. */
  stop(): Promise<unknown>
}

/** Verifies a log in a thread of its own. */
export function verifyInThread(
  task: VerifyTask,
  progress: (rows: number, last: number) => void,
): VerifyingThread {
  const worker = new Worker(builtWorker(), { name: 'holdfast-audit', workerData: task })
  worker.unref()
  const result = new Promise<VerificationResult>((resolve, reject) => {
    worker.on('message', (message: Message) => {
      if ('result' in message) resolve(message.result)
      else progress(message.rows, message.last)
    })
    worker.once('error', reject)
    worker.once('exit', () => reject(new Error('The thread that verifies the audit log ended.')))
  })
  return { result, stop: () => worker.terminate() }
}
