import { chownSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { makeAuthorities } from '@/db/testing/certificates'
import {
  freePorts,
  makeFolder,
  removeFolder,
  serverIdentity,
  spawnServer,
  stopServer,
  waitUntil,
} from '@/db/testing/processes'
import { type RunningConsole, startConsole } from './server'
import { askFrom } from './source'

const ops = join(import.meta.dirname ?? __dirname, '..', 'ops')

export type ProxyName = 'nginx' | 'caddy'

export interface Proxied {
  console: RunningConsole
  /** The public address, https://localhost:PORT. */
  url: string
  port: number
  /** The port that answers plain http; null where the proxy has none. */
  plainPort: number | null
  /** The authority that signed the certificate. */
  ca: string
  /** The proxy's own folder: what it buffers on disk lies in `temporary` there. */
  folder: string
  stop(): Promise<void>
}

/** A console behind a proxy with the very configuration of ops: ports, name and certificate filled in. */
export async function startBehind(name: ProxyName): Promise<Proxied> {
  const [port, plainPort, consolePort] = (await freePorts(3)) as [number, number, number]
  const url = `https://localhost:${port}`
  const console = await startConsole({
    port: consolePort,
    env: { HOLDFAST_URL: url, TRUSTED_PROXIES: '127.0.0.1', TWO_FA_WINDOW: '10' },
  })
  const identity = serverIdentity()
  const folder = makeFolder(name, identity)
  const authorities = makeAuthorities()
  const authority = authorities.make('proxies')
  const { ssl_cert_file: certificate, ssl_key_file: key } = authority.sign('localhost', 'DNS:localhost')
  const filled = fill[name]({ port, plainPort, consolePort, certificate, key, folder })
  for (const [file, text] of Object.entries(filled.files)) {
    writeFileSync(join(folder, file), text)
    if (identity.uid !== undefined && identity.gid !== undefined)
      chownSync(join(folder, file), identity.uid, identity.gid)
  }
  const server = spawnServer(filled.command, filled.args, { folder, name, identity })
  const place = { port, ca: authority.pem }
  await waitUntil(
    name,
    async () => (await askFrom(place, '127.0.0.1', '/api/health/ready')).body?.status === 'ready',
    server,
  )
  return {
    ...{ console, url, folder, ...place },
    plainPort: name === 'nginx' ? plainPort : null,
    async stop() {
      await stopServer(server, 'SIGTERM')
      await console.stop()
      authorities.remove()
      removeFolder(folder)
    },
  }
}

interface Places {
  port: number
  plainPort: number
  consolePort: number
  certificate: string
  key: string
  folder: string
}

const fill = { nginx, caddy }

/** Compression is on for everything, as some sites have it: an event stream must come through all the same. */
function nginx({ port, plainPort, consolePort, certificate, key, folder }: Places) {
  const site = replaced(readFileSync(join(ops, 'nginx.conf'), 'utf8'), {
    '127.0.0.1:3000': `127.0.0.1:${consolePort}`,
    'listen 80': `listen 127.0.0.1:${plainPort}`,
    'listen 443': `listen 127.0.0.1:${port}`,
    'server_name holdfast.example.org': 'server_name localhost',
    '/etc/ssl/holdfast.pem': certificate,
    '/etc/ssl/holdfast.key': key,
  })
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
    .map((kind) => `  ${kind}_temp_path ${folder}/temporary-${kind};`)
    .join('\n')
  const main = `daemon off;
worker_processes 1;
pid ${folder}/nginx.pid;
error_log stderr;
events {}
http {
  access_log off;
${temporary}
  gzip on;
  gzip_proxied any;
  gzip_types *;
  include site.conf;
}
`
  return {
    command: '/usr/sbin/nginx',
    args: ['-p', folder, '-c', join(folder, 'nginx.conf'), '-e', 'stderr'],
    files: { 'nginx.conf': main, 'site.conf': site },
  }
}

function caddy({ port, plainPort, consolePort, certificate, key, folder }: Places) {
  const site = replaced(readFileSync(join(ops, 'Caddyfile'), 'utf8'), {
    '{$HOLDFAST_HOST:holdfast.example.org} {': `https://localhost:${port} {\n\ttls ${certificate} ${key}\n\tbind 127.0.0.1`,
    '{$HOLDFAST_CONSOLES:127.0.0.1:3000}': `127.0.0.1:${consolePort}`,
  })
  const options = `{
	admin off
	http_port ${plainPort}
	auto_https disable_redirects
	storage file_system ${folder}/storage
}
`
  return {
    command: 'caddy',
    args: ['run', '--adapter', 'caddyfile', '--config', join(folder, 'Caddyfile')],
    files: { Caddyfile: options + site },
  }
}

/** Each text must be there: what the example no longer says cannot be filled in. */
function replaced(text: string, values: Record<string, string>): string {
  return Object.entries(values).reduce((filled, [from, to]) => {
    if (!filled.includes(from)) throw new Error(`The example no longer says "${from}".`)
    return filled.replaceAll(from, to)
  }, text)
}
