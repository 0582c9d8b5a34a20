import { Agent, get, type IncomingMessage } from 'node:http'

/** Opens event streams and notes how old their values are when they come, in a process of its own. */
export interface Listening {
  origin: string
  path: string
  /** The authorization of each stream. */
  tokens: string[]
  streams: number
}
export type Command = { open: Listening } | { measure: number } | { close: true }

export interface Heard {
  /** Ages of all values that came in the time, ms. */
  values: number
  p50: number
  p99: number
  longest: number
  /** Streams that are still open. */
  open: number
}

const streams = new Set<IncomingMessage>()
let ages: number[] = []
let measuring = false

process.on('message', (command: Command) => {
  obey(command).then(
    (answer) => process.send?.(answer),
    (error: Error) => process.send?.({ failed: error.message }),
  )
})

async function obey(command: Command): Promise<object> {
  if ('open' in command) return open(command.open)
  if ('measure' in command) return measure(command.measure)
  for (const stream of streams) stream.destroy()
  streams.clear()
  return {}
}

/** A few at a time, so that no queue of connections is what is measured. */
async function open({ origin, path, tokens, streams: count }: Listening): Promise<object> {
  const agent = new Agent({ keepAlive: false, maxSockets: Infinity })
  let next = 0
  const opener = async () => {
    for (let number = next++; number < count; number = next++) {
      const headers = {
        accept: 'text/event-stream',
        authorization: `Bearer ${tokens[number % tokens.length]}`,
      }
      await new Promise<void>((resolve, reject) => {
        get(`${origin}${path}`, { agent, headers }, (answer) => {
          if (answer.statusCode !== 200) return reject(new Error(`${path} answered ${answer.statusCode}.`))
          streams.add(answer)
          answer.once('close', () => streams.delete(answer))
          answer.setEncoding('utf8')
          answer.once('data', () => resolve())
          answer.on('data', hear)
        }).on('error', reject)
      })
    }
  }
  await Promise.all(Array.from({ length: 16 }, opener))
  return {}
}

/** Every value says when it was taken; the clock is the same machine's. */
function hear(text: string): void {
  if (text.includes('serialized-error')) throw new Error(text)
  if (!measuring) return
  const now = Date.now()
  for (const [, at] of text.matchAll(/"at":(\d+)/g)) ages.push(now - Number(at))
}

async function measure(ms: number): Promise<Heard> {
  ages = []
  measuring = true
  await new Promise((resolve) => setTimeout(resolve, ms))
  measuring = false
  const sorted = Float64Array.from(ages).sort()
  const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0
  return { values: ages.length, p50: at(0.5), p99: at(0.99), longest: at(1), open: streams.size }
}
