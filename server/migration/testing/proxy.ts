import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'

/** A way to a server that can be cut. */
export interface Proxy {
  readonly port: number
  /** Closes every connection; new ones are taken. */
  drop(): void
  /** From now on nothing passes, neither on connections nor on new ones, and nobody is told. */
  swallow(): void
  /** Everything passes again on new connections; those before are closed. */
  mend(): void
  close(): Promise<void>
}

/** Listens on 127.0.0.1 and passes everything on to a port there. */
export async function openProxy(to: number): Promise<Proxy> {
  const sockets = new Set<Socket>()
  let swallowing = false
  const keep = (socket: Socket) => {
    sockets.add(socket)
    socket.on('error', () => socket.destroy())
    socket.on('close', () => sockets.delete(socket))
  }
  const server = createServer((client) => {
    keep(client)
    if (swallowing) return
    const upstream = connect(to, '127.0.0.1')
    keep(upstream)
    client.pipe(upstream).pipe(client)
    client.on('close', () => upstream.destroy())
    upstream.on('close', () => client.destroy())
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const drop = () => {
    for (const socket of sockets) socket.destroy()
  }
  return {
    port: (server.address() as { port: number }).port,
    drop,
    swallow() {
      swallowing = true
      for (const socket of sockets) socket.unpipe().pause()
    },
    mend() {
      swallowing = false
      drop()
    },
    async close() {
      drop()
      server.close()
      await once(server, 'close')
    },
  }
}
