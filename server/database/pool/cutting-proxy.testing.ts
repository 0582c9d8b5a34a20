import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'

/** What becomes of one connection through the proxy. */
interface Fate {
  /** Bytes, of both directions together, after which it is cut: in the middle of a message, or of signing in. */
  bytes: number
  /** By a reset, which loses what is on its way; otherwise by an orderly end. */
  reset: boolean
}

/** A proxy that cuts each connection at its fate. */
export async function startCuttingProxy(
  server: { host: string; port: number },
  fate: () => Fate,
): Promise<{
  host: string
  port: number
  cuts(): number
  spare(): void
  hush(): void
  stop(): Promise<void>
}> {
  const open = new Set<Socket>()
  let cuts = 0
  let sparing = false
  /** Connections older than this pass nothing on. */
  let hushed = 0
  let opened = 0
  const proxy = createServer((client) => {
    const upstream = connect(server)
    let { bytes, reset } = fate()
    const number = opened++
    let cut = false
    const end = () => {
      if (cut) return
      cut = true
      cuts++
      for (const socket of [client, upstream]) {
        if (reset) socket.resetAndDestroy()
        else socket.destroy()
      }
    }
    const pass = (to: Socket) => (data: Buffer) => {
      if (cut || number < hushed) return
      const left = sparing ? data.length : bytes
      bytes -= data.length
      if (data.length <= left) to.write(data)
      else to.write(data.subarray(0, Math.max(0, left)), end)
    }
    client.on('data', pass(upstream))
    upstream.on('data', pass(client))
    for (const [socket, other] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      open.add(socket)
      socket.on('error', () => other.destroy())
      socket.on('close', () => {
        open.delete(socket)
        other.destroy()
      })
    }
  })
  proxy.listen(0, '127.0.0.1')
  await once(proxy, 'listening')
  return {
    host: '127.0.0.1',
    port: (proxy.address() as AddressInfo).port,
    cuts: () => cuts,
    spare: () => {
      sparing = true
    },
    // Those that are there stay open and are never heard of again.
    hush: () => {
      hushed = opened
    },
    stop: async () => {
      proxy.close()
      for (const socket of open) socket.destroy()
    },
  }
}
