import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

/** A bare event stream: node:http writes the same bytes to every client once a second, and checks nothing. */
const [template = ''] = process.argv.slice(2)
const clients = new Set<ServerResponse>()

const server = createServer((_request, response) => {
  response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-cache, no-transform' })
  response.write('event: connected\ndata: {}\n\n')
  clients.add(response)
  response.once('close', () => clients.delete(response))
}).listen(0, '127.0.0.1', () => console.log((server.address() as AddressInfo).port))

let id = 0
setInterval(() => {
  const data = template.replace(/"at":\d+/, `"at":${Date.now()}`)
  const bytes = Buffer.from(`data: ${data}\nid: peer-${++id}\n\n`)
  for (const client of clients) client.write(bytes)
}, 1_000)
