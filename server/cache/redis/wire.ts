import type { Socket } from 'node:net'
import type { Command, Redis } from 'ioredis'
import type { Deadlines, Pending } from './deadlines'
import { LateError, PlainError } from './reasons'

export type Args = (string | Buffer | number)[]

/** Told once: an answer, or an error, and when it was asked (performance.now()). A late reply is nobody's. */
export type Done = (answer: unknown, error: Error | undefined, asked: number) => void

/** Bounds of what may wait for one node: a hung one must not let memory grow. */
const MAX_WAITING = 20_000
const MAX_UNSENT_BYTES = 32 * 2 ** 20

/** Arguments after which what was written so far is sent. */
const MAX_WEIGHT = 64

const nothing: Args = []
const late = new LateError()
const full = new PlainError('Too many calls wait for Redis.')

/** Sends commands over one connection, together once a tick, and gives each its deadline. */
export class Wire {
  readonly client: Redis
  readonly #deadlines: { calls: Deadlines; care: Deadlines }
  #waiting = 0
  #corked: Socket | undefined
  #weight = 0

  /** `calls`: the deadline of send; `care`: of ask. */
  constructor(client: Redis, deadlines: { calls: Deadlines; care: Deadlines }) {
    this.client = client
    this.#deadlines = deadlines
  }

  /** Commands that Redis hasn't answered, late ones among them. */
  get waiting(): number {
    return this.#waiting
  }

  send(name: string, args: Args, done: Done): void {
    const stream = this.client.stream as Socket | undefined
    if (this.#waiting >= MAX_WAITING || (stream && stream.writableLength > MAX_UNSENT_BYTES)) {
      done(undefined, full, performance.now())
      return
    }
    this.#write(name, args, this.#deadlines.calls, done)
  }

  /** As send, for what isn't hot and must get through. Throws the error of Redis, and LateError. */
  ask(name: string, ...args: Args): Promise<unknown> {
    return new Promise((resolve, reject) =>
      this.#write(name, args, this.#deadlines.care, (answer, error) =>
        error ? reject(error) : resolve(answer),
      ),
    )
  }

  #write(name: string, args: Args, deadlines: Deadlines, done: Done): void {
    const call = new Call(name, args, done, this.#answered)
    this.#waiting++
    this.#cork(this.client.stream as Socket | undefined, args.length)
    this.client.sendCommand(call as unknown as Command)
    if (!call.settled) deadlines.add(call)
  }

  readonly #answered = () => {
    this.#waiting--
  }

  /** One write to the socket for the commands of this turn; of many arguments several, so that Redis begins early. */
  #cork(stream: Socket | undefined, weight: number): void {
    if (!stream) return
    this.#weight += weight
    if (this.#corked === stream) {
      if (this.#weight < MAX_WEIGHT) return
      stream.uncork()
      stream.cork()
      this.#weight = 0
      return
    }
    this.#corked = stream
    stream.cork()
    process.nextTick(() => {
      this.#corked = undefined
      this.#weight = 0
      stream.uncork()
    })
  }
}

/**
 * A command as ioredis queues it, and the call itself: what ioredis' own Command does for each (a promise, a
 * callback, transformers) takes longer than the rest of the way. Bulk strings of the answer are Buffers.
 */
class Call implements Pending {
  readonly asked = performance.now()
  settled = false
  readonly name: string
  args: Args
  readonly isTraced = true
  readonly inTransaction = false
  readonly promise = undefined
  #done: Done | undefined
  readonly #answered: () => void

  constructor(name: string, args: Args, done: Done, answered: () => void) {
    this.name = name
    this.args = args
    this.#done = done
    this.#answered = answered
  }

  setReplyContext(): void {}

  toWritable(): string | Buffer {
    return encode(this.name, this.args)
  }

  resolve(answer: unknown): void {
    this.#answered()
    this.#end(answer, undefined)
  }

  reject(error: Error): void {
    this.#answered()
    this.#end(undefined, error)
  }

  late(): void {
    this.#end(undefined, late)
  }

  #end(answer: unknown, error: Error | undefined): void {
    if (this.settled) return
    this.settled = true
    const done = this.#done as Done
    // The queue of deadlines has the call for some time yet; it must not keep the answer alive.
    this.#done = undefined
    this.args = nothing
    done(answer, error, this.asked)
  }
}

/** A command in RESP. */
function encode(name: string, args: Args): string | Buffer {
  let text = `*${args.length + 1}\r\n$${name.length}\r\n${name}\r\n`
  const texts: string[] = []
  const blobs: Buffer[] = []
  let bytes = 0
  /** Bytes of the words beyond one for each of their characters. */
  let more = 0
  for (const arg of args) {
    if (typeof arg === 'object') {
      text += `$${arg.length}\r\n`
      texts.push(text)
      blobs.push(arg)
      bytes += arg.length
      text = '\r\n'
    } else {
      const word = typeof arg === 'string' ? arg : String(arg)
      const length = Buffer.byteLength(word)
      more += length - word.length
      text += `$${length}\r\n${word}\r\n`
    }
  }
  if (blobs.length === 0) return text
  texts.push(text)
  for (const each of texts) bytes += each.length
  // One buffer, written once: parts of their own and joining them take twice as long.
  const command = Buffer.allocUnsafe(bytes + more)
  const encoding = more === 0 ? 'latin1' : 'utf8'
  let at = 0
  for (let n = 0; n < texts.length; n++) {
    at += command.write(texts[n] as string, at, encoding)
    const blob = blobs[n]
    if (blob) {
      command.set(blob, at)
      at += blob.length
    }
  }
  return command
}
