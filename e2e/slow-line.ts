import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'
import { random } from '@/db/testing/library'

/** What of TCP's payload fits into one packet of Ethernet, bytes. */
const PACKET = 1_448
/** So much is on its way at most, in each direction of a connection, bytes. */
const WINDOW = 2 ** 16

export interface SlowLineOptions {
  /** Each way, ms. */
  delayMs: number
  /** Of so many packets one is lost, and with it all behind it come later by the time after which it is sent again. */
  lossOneOf: number
}

/** A way to a port of 127.0.0.1 that is quick until it is told to be slow. */
export interface SlowLine {
  port: number
  slow(): void
  close(): Promise<void>
}

/**
 * Listens on a port and passes everything on as a bad line does. In this process, since the kernel's own way (netem)
 * takes root and a module that many systems come without.
 */
export async function openSlowLine(port: number, to: number, options: SlowLineOptions): Promise<SlowLine> {
  const sockets = new Set<Socket>()
  const below = random(1)
  let slow = false
  const line = () => ({ delayMs: slow ? options.delayMs : 0, lost: slow && below(options.lossOneOf) === 0 })
  const server = createServer((client) => {
    const upstream = connect(to, '127.0.0.1')
    for (const socket of [client, upstream]) {
      sockets.add(socket)
      socket.setNoDelay()
      socket.on('error', () => socket.destroy())
      socket.on('close', () => sockets.delete(socket))
    }
    // What opens a connection goes there and back before anything else is sent.
    carry(client, upstream, line, 2 * line().delayMs)
    carry(upstream, client, line, 0)
  })
  server.listen(port, '127.0.0.1')
  await once(server, 'listening')
  return {
    port,
    slow() {
      slow = true
    },
    async close() {
      for (const socket of sockets) socket.destroy()
      server.close()
      await once(server, 'close')
    },
  }
}

type Packet = { bytes: Buffer | null; due: number }

/** Passes one direction of a connection on, packet by packet, in order; null is its end. */
function carry(
  from: Socket,
  to: Socket,
  line: () => { delayMs: number; lost: boolean },
  openingMs: number,
): void {
  const onTheWay: Packet[] = []
  const opened = performance.now() + openingMs
  let unanswered = 0

  const send = (bytes: Buffer | null) => {
    const { delayMs, lost } = line()
    const now = Math.max(performance.now(), opened)
    // Sent again once its answer is missed, which takes as long as there and back.
    const due = Math.max(now + delayMs * (lost ? 3 : 1), onTheWay.at(-1)?.due ?? 0)
    onTheWay.push({ bytes, due })
    if (onTheWay.length === 1) setTimeout(deliver, due - performance.now())
  }
  const deliver = () => {
    while (onTheWay[0] && onTheWay[0].due <= performance.now()) {
      const { bytes } = onTheWay.shift() as Packet
      if (to.destroyed) return
      if (bytes) to.write(bytes, () => setTimeout(answered, line().delayMs, bytes.length))
      else to.end()
    }
    if (onTheWay[0]) setTimeout(deliver, onTheWay[0].due - performance.now())
  }
  const answered = (length: number) => {
    unanswered -= length
    if (unanswered < WINDOW) from.resume()
  }

  from.on('data', (data: Buffer) => {
    for (let at = 0; at < data.length; at += PACKET) send(data.subarray(at, at + PACKET))
    unanswered += data.length
    if (unanswered >= WINDOW) from.pause()
  })
  from.on('end', () => send(null))
  from.on('close', () => {
    if (!from.readableEnded) to.destroy()
  })
}
