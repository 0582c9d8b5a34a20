import { performance } from 'node:perf_hooks'
import { type MessagePort, parentPort } from 'node:worker_threads'
import { Connection } from './connection'
import { crossing } from './crossing'
import type { Answer, Request, ThreadError } from './protocol'

/** Answers are posted together, but none waits longer for those behind it. */
const TOGETHER_MS = 1

/** A thread with one connection to each file it was told of; works off what comes, in its order. */
function serve(port: MessagePort): void {
  const files = new Map<number, Connection | ThreadError>()

  function answer(request: Request): Answer {
    const file = files.get(request.file)
    if (request.op === 'open') {
      try {
        files.set(request.file, new Connection(request.path, request.readonly))
      } catch (error) {
        files.set(request.file, crossing(error))
        return { id: request.id, ms: 0, error: crossing(error) }
      }
      return { id: request.id, ms: 0 }
    }
    if (request.op === 'close') {
      files.delete(request.file)
      if (file instanceof Connection) file.close()
      return { id: request.id, ms: 0 }
    }
    if (file instanceof Connection) return file.answer(request)
    return { id: request.id, ms: 0, error: file ?? { name: 'Error', message: 'The file is closed.' } }
  }

  port.on('message', (requests: Request[]) => {
    let answers: Answer[] = []
    let since = performance.now()
    for (const request of requests) {
      answers.push(answer(request))
      const now = performance.now()
      if (now - since < TOGETHER_MS) continue
      port.postMessage(answers)
      answers = []
      since = now
    }
    if (answers.length > 0) port.postMessage(answers)
  })
}

if (parentPort) serve(parentPort)
