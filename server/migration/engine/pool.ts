import { MessageChannel, Worker } from 'node:worker_threads'
import { fromFailure, MigrationError } from '../failure'
import type { CopyNews } from '../transfer/copy'
import {
  serveThread,
  type ThreadAnswers,
  type ThreadMessage,
  type ThreadSetup,
  type ThreadTask,
} from './thread'

interface Pending {
  resolve(answer: unknown): void
  reject(error: Error): void
  news?: (news: CopyNews) => void
}
type Kind = ThreadTask['kind']

/** Threads that work off tasks, each one at a time. */
export interface Pool {
  readonly size: number
  /** Runs a task on the next free thread. */
  run<K extends Kind>(
    task: Extract<ThreadTask, { kind: K }>,
    news?: (news: CopyNews) => void,
  ): Promise<ThreadAnswers[K]>
  /** Runs a task on every thread; only while none is at work. */
  everywhere<K extends Kind>(task: Extract<ThreadTask, { kind: K }>): Promise<ThreadAnswers[K][]>
  /** 0 go on, 1 stop after this batch, 2 stop at once, 3 stop after this batch and for good. */
  signal(value: 0 | 1 | 2 | 3): void
  close(): Promise<void>
}

/** What takes one task after the other. */
interface Thread {
  postMessage(message: { id: number; task: ThreadTask }): void
  on(event: 'message', take: (message: ThreadMessage) => void): unknown
  on(event: 'error', take: (error: unknown) => void): unknown
  on(event: 'exit', take: () => void): unknown
  terminate(): Promise<unknown>
}

/** A thread of the bundle `entry`, which sees that it is not the main one. */
export const threadsOf =
  (entry: URL) =>
  (setup: ThreadSetup): Thread =>
    new Worker(entry, { workerData: setup, execArgv: [] })

/** This thread itself: a small source is read in less time than another thread takes to start. */
export function thisThread(setup: ThreadSetup): Thread {
  const { port1, port2 } = new MessageChannel()
  const end = serveThread(port2, setup)
  return Object.assign(port1, {
    terminate: async () => {
      port1.close()
      await end()
    },
  })
}

/** Begins `size` threads. */
export function openPool(
  begin: (setup: ThreadSetup) => Thread,
  size: number,
  setup: Omit<ThreadSetup, 'signal'>,
): Pool {
  const signal = new SharedArrayBuffer(4)
  const flag = new Int32Array(signal)
  const pending = new Map<number, Pending>()
  const waiting: { task: ThreadTask; one: Pending }[] = []
  const workers = Array.from({ length: size }, () => watched(begin({ ...setup, signal })))
  const idle = new Set(workers)
  let next = 0
  let closed = false

  function watched(worker: Thread): Thread {
    let current = -1
    worker.on('message', (message: ThreadMessage) => {
      const one = pending.get(message.id)
      current = message.id
      if ('news' in message) one?.news?.(message.news)
      else {
        pending.delete(message.id)
        idle.add(worker)
        if ('answer' in message) one?.resolve(message.answer)
        else one?.reject(fromFailure(message.failure))
        dispatch()
      }
    })
    worker.on('error', (error) => {
      for (const [id, one] of pending) if (id >= current) one.reject(error as Error)
    })
    worker.on('exit', () => {
      if (closed) return
      const lost = new MigrationError('WORKER_LOST', 'A reading thread ended early.', 'Resume the run.')
      for (const one of pending.values()) one.reject(lost)
      pending.clear()
    })
    return worker
  }

  function send(worker: Thread, task: ThreadTask, one: Pending): void {
    const id = next++
    idle.delete(worker)
    pending.set(id, one)
    worker.postMessage({ id, task })
  }

  function dispatch(): void {
    for (const worker of idle) {
      const item = waiting.shift()
      if (!item) return
      send(worker, item.task, item.one)
    }
  }

  return {
    size,
    run: (task, news) =>
      new Promise((resolve, reject) => {
        waiting.push({
          task,
          one: { resolve: resolve as (answer: unknown) => void, reject, ...(news && { news }) },
        })
        dispatch()
      }),
    everywhere: (task) =>
      Promise.all(
        workers.map(
          (worker) =>
            new Promise<never>((resolve, reject) => {
              send(worker, task, { resolve: resolve as (answer: unknown) => void, reject })
            }),
        ),
      ),
    signal: (value) => {
      Atomics.store(flag, 0, value)
      if (value < 2) return
      for (const { one } of waiting.splice(0)) {
        one.reject(new MigrationError('CANCELLED', 'The run was cancelled.', 'Start a new one.'))
      }
    },
    async close() {
      closed = true
      await Promise.all(workers.map((worker) => worker.terminate()))
    },
  }
}
