import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { Worker } from 'node:worker_threads'
import type { Answer, Command, Request, ThreadFile } from './protocol'

/** Thrown to everybody who waits when a thread dies, with what they waited for. */
export class ThreadDied extends Error {
  override name = 'ThreadDied'
  readonly op: Command['op']

  constructor(op: Command['op'], options?: ErrorOptions) {
    super('The SQLite thread has died.', options)
    this.op = op
  }
}

interface Pending {
  settle(answer: Answer): void
  refuse(cause: unknown): void
}

/**
 * A worker thread with connections to SQLite files, started when it is first needed, and again after it died.
 * Requests of one turn of the event loop go in one post; they are worked off in their order.
 */
export class Thread {
  readonly #workerFile: string
  #worker: Worker | undefined
  /** How often it died: a transaction dies with it. */
  generation = 0
  #opened = new Set<number>()
  #pending = new Map<number, Pending>()
  #outbox: Request[] = []
  #lastId = 0

  constructor(workerFile: string) {
    this.#workerFile = workerFile
  }

  /** Asks for one thing in a file; the answer may hold SQLite's error. Throws ThreadDied. */
  ask(file: ThreadFile, command: Command): Promise<Answer> {
    this.#start()
    if (!this.#opened.has(file.number)) {
      this.#opened.add(file.number)
      const { number, path, readonly } = file
      this.#send({ id: ++this.#lastId, file: number, op: 'open', path, readonly }, (answer) => {
        // The next request tries again.
        if (answer.error) this.#opened.delete(number)
      })
    }
    return this.#request(file, command)
  }

  /** Closes the connection to a file, if there is one. */
  async close(file: ThreadFile): Promise<void> {
    if (!this.#opened.delete(file.number)) return
    await this.#request(file, { op: 'close' }).catch(() => {})
  }

  /** Ends the thread with everything that is open in it; the next request starts another one. */
  async stop(): Promise<void> {
    await this.#worker?.terminate()
  }

  #request(file: ThreadFile, command: Command): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const request = { ...command, id: ++this.#lastId, file: file.number }
      this.#send(request, resolve, (cause) => reject(new ThreadDied(command.op, { cause })))
    })
  }

  #send(request: Request, settle: Pending['settle'], refuse: Pending['refuse'] = () => {}): void {
    // A thread with nothing to do doesn't keep the process.
    if (this.#pending.size === 0) this.#worker?.ref()
    this.#pending.set(request.id, { settle, refuse })
    if (this.#outbox.push(request) === 1) process.nextTick(() => this.#flush())
  }

  #flush(): void {
    const requests = this.#outbox
    this.#outbox = []
    if (requests.length > 0) this.#worker?.postMessage(requests)
  }

  #start(): void {
    if (this.#worker) return
    const worker = new Worker(this.#workerFile, { name: 'holdfast-sqlite' })
    this.#worker = worker
    worker.unref()
    worker.on('message', (answers: Answer[]) => this.#settle(answers))
    let cause: unknown
    worker.on('error', (error) => {
      cause = error
    })
    worker.on('exit', () => this.#bury(worker, cause))
  }

  #settle(answers: Answer[]): void {
    for (const answer of answers) {
      const pending = this.#pending.get(answer.id)
      this.#pending.delete(answer.id)
      pending?.settle(answer)
    }
    if (this.#pending.size === 0) this.#worker?.unref()
  }

  #bury(worker: Worker, cause: unknown): void {
    if (this.#worker !== worker) return
    this.#worker = undefined
    this.generation++
    this.#opened = new Set()
    this.#outbox = []
    const waiting = [...this.#pending.values()]
    this.#pending = new Map()
    for (const { refuse } of waiting) refuse(cause)
  }
}

const shared = new Map<string, Thread>()

/** The build puts it there; the console and its commands run in the project's folder. */
export function builtWorker(): string {
  const beside = join(import.meta.dirname, 'sqlite-worker.mjs')
  return existsSync(beside) ? beside : join(process.cwd(), 'dist', 'sqlite-worker.mjs')
}

/** The process's thread for writing, or for long reads: all files share them, whoever opened them. */
export function sharedThread(use: 'writer' | 'reader', workerFile: string): Thread {
  const key = `${use} ${workerFile}`
  const known = shared.get(key)
  if (known) return known
  const thread = new Thread(workerFile)
  shared.set(key, thread)
  return thread
}
