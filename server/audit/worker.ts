import { parentPort, workerData } from 'node:worker_threads'
import { type VerifyTask, verifyLog } from './verify-log'

/** A thread that verifies one log, tells how far it is, and ends with the result. */
const TELL_MS = 200
let told = performance.now()
const result = await verifyLog(workerData as VerifyTask, (rows, last) => {
  const now = performance.now()
  if (now - told < TELL_MS) return
  told = now
  parentPort?.postMessage({ rows, last })
})
parentPort?.postMessage({ result })
