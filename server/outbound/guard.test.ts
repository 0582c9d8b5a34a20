import type { LookupAddress } from 'node:dns'
import { createServer } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { systemClock } from '@/server/clock'
import { openLog } from '@/server/log'
import { type Guard, openGuard, openOutbound } from '.'
import { type Place, startPlace } from './testing/place'

const deps = { clock: systemClock, log: openLog('error', () => {}) }
const opened: { close(): Promise<void> }[] = []
afterEach(async () => {
  for (const thing of opened.splice(0).reverse()) await thing.close()
})

function open(guard: Guard) {
  const outbound = openOutbound({ ...deps, guard }, [{ name: 'test', retries: 0 }])
  opened.push(outbound)
  return { outbound, pool: outbound.pool('test') }
}

async function place(): Promise<Place> {
  const started = await startPlace((request, response) => response.end(request.headers.host))
  opened.push(started)
  return started
}

/** A name server that answers each question with the next of its answers; the last stays. */
function names(...answers: string[][]) {
  const asked: string[] = []
  const resolve: Parameters<typeof openGuard>[1] = (host, _options, callback) => {
    const answer = answers[Math.min(asked.length, answers.length - 1)] ?? []
    asked.push(host)
    const addresses: LookupAddress[] = answer.map((address) => ({
      address,
      family: address.includes(':') ? 6 : 4,
    }))
    callback(null, addresses)
  }
  return { asked, resolve }
}

const refused = {
  code: 'TARGET_UNREACHABLE',
  kind: 'refused',
  message: expect.stringContaining('not called'),
}

/** Hosts as attackers write them: of the OWASP cheat sheet and what it links to. Each leads to an inner address. */
const hosts = [
  ...['127.0.0.1', '127.1', '127.0.1', '127.255.255.254', '0', '0.0.0.0', '0.0.0.1'],
  // Decimal, octal, hexadecimal, mixed, with overflow of the last part, with a dot at the end, in other digits.
  ...['2130706433', '017700000001', '0177.0.0.1', '0x7f000001', '0x7f.0x0.0x0.0x1', '0x7f.1', '0177.0x0.1'],
  ...['127.0.0.1.', '127.65281', '①②⑦.⓪.⓪.①', '１２７.０.０.１', '127。0。0。1'],
  ...[
    '10.0.0.1',
    '172.16.0.1',
    '172.31.255.255',
    '192.168.1.1',
    '3232235777',
    '100.64.0.1',
    '100.127.255.254',
  ],
  // Where clouds keep credentials: dotted, decimal, hexadecimal, octal, by IPv6.
  ...[
    '169.254.169.254',
    '2852039166',
    '0xa9fea9fe',
    '0251.0376.0251.0376',
    '[fd00:ec2::254]',
    '100.100.100.200',
  ],
  ...['192.0.0.192', '168.63.129.16', '[::ffff:169.254.169.254]', '[::ffff:a9fe:a9fe]'],
  ...[
    '224.0.0.1',
    '239.255.255.250',
    '255.255.255.255',
    '240.0.0.1',
    '192.0.2.1',
    '198.18.0.1',
    '198.51.100.1',
  ],
  ...['203.0.113.1', '192.88.99.1'],
  ...['[::]', '[::1]', '[0:0:0:0:0:0:0:1]', '[::127.0.0.1]', '[::ffff:127.0.0.1]', '[::ffff:7f00:1]'],
  ...['[0:0:0:0:0:ffff:10.0.0.1]', '[::ffff:0:127.0.0.1]', '[64:ff9b::7f00:1]', '[64:ff9b::169.254.169.254]'],
  ...['[64:ff9b:1::a00:1]', '[2002:7f00:1::]', '[2002:a9fe:a9fe::1]', '[2001:0:7f00:1::]', '[fe80::1]'],
  ...['[fc00::1]', '[fd12:3456::1]', '[fec0::1]', '[ff02::1]', '[2001:db8::1]', '[100::1]', '[4000::1]'],
]

describe('the guard', () => {
  it.each(hosts)('does not call http://%s/, and nothing is looked up', async (host) => {
    const { asked, resolve } = names(['93.184.216.34'])
    const { pool } = open(openGuard([], resolve))
    await expect(pool.request(`http://${host}:8080/`)).rejects.toMatchObject(refused)
    expect(asked).toEqual([])
  })

  it.each(['localhost', 'LOCALHOST', 'localhost.', 'ip6-localhost.localhost'])(
    'does not call the name %s, as the system looks it up',
    async (host) => {
      const { pool } = open(openGuard([]))
      await expect(pool.request(`http://${host}:8080/`)).rejects.toMatchObject({ code: 'TARGET_UNREACHABLE' })
    },
  )

  it.each(hosts.map((host) => host.replace(/[[\]]/g, '')))(
    'does not connect to %s for another protocol',
    async (host) => {
      const { outbound } = open(openGuard([]))
      await expect(outbound.connect(host, 25, { timeout: 5_000 })).rejects.toMatchObject({
        code: 'TARGET_UNREACHABLE',
        message: expect.stringMatching(/not called|no server named|could not be looked up/),
      })
    },
  )

  it('refuses a name that leads to an inner address beside others', async () => {
    const { resolve } = names(['93.184.216.34', '10.1.2.3'])
    const { pool } = open(openGuard([], resolve))
    await expect(pool.request('http://receiver.example/')).rejects.toMatchObject({
      ...refused,
      message:
        'receiver.example (10.1.2.3) is not called: it is a private network, not a server on the internet.',
      remedy: expect.stringContaining('set OUTBOUND_ALLOW to its network, such as 10.1.2.3/32'),
    })
  })

  it('judges the address of each connection, so that a name which leads inside later reaches nobody', async () => {
    const { port, requests } = await place()
    const { asked, resolve } = names(['127.0.0.1'], ['127.0.0.2'])
    const { pool } = open(openGuard(['127.0.0.1'], resolve))
    const first = await pool.request(`http://receiver.example:${port}/`)
    expect(first.body.toString()).toBe(`receiver.example:${port}`)
    expect(asked).toEqual(['receiver.example'])
    // The next origin is another connection: its name was asked anew and leads elsewhere by now.
    const other = await place()
    await expect(pool.request(`http://receiver.example:${other.port}/`)).rejects.toMatchObject(refused)
    expect(asked).toHaveLength(2)
    expect(requests).toHaveLength(1)
    expect(other.connections).toBe(0)
  })

  it('connects to the very address that it judged: the name is looked up once', async () => {
    const { port } = await place()
    const { asked, resolve } = names(['127.0.0.1'], ['192.0.2.1'])
    const { pool, outbound } = open(openGuard(['127.0.0.0/8'], resolve))
    expect((await pool.request(`http://receiver.example:${port}/`)).status).toBe(200)
    expect(asked).toHaveLength(1)
    const again = names(['127.0.0.1'], ['192.0.2.1'])
    const mail = openOutbound({ ...deps, guard: openGuard(['127.0.0.0/8'], again.resolve) }, [])
    opened.push(mail)
    const socket = await mail.connect('mail.example', port, { timeout: 5_000 })
    expect(socket.remoteAddress).toBe('127.0.0.1')
    expect(again.asked).toEqual(['mail.example'])
    socket.destroy()
    expect(outbound.report().origins[0]?.failures.refused).toBe(0)
  })

  it('calls networks that are allowed, and no form that hides one of their addresses', async () => {
    const { port } = await place()
    const { pool } = open(openGuard(['127.0.0.1/32', 'fd00::/8']))
    expect((await pool.request(`http://127.0.0.1:${port}/`)).status).toBe(200)
    expect((await pool.request(`http://2130706433:${port}/`)).status).toBe(200)
    await expect(pool.request(`http://127.0.0.2:${port}/`)).rejects.toMatchObject(refused)
    await expect(pool.request(`http://[::ffff:127.0.0.1]:${port}/`)).rejects.toMatchObject(refused)
  })

  it('does not follow a redirect to the inside', async () => {
    const inside = await place()
    const started = await startPlace((_, response) => {
      response.writeHead(307, { Location: `http://127.0.0.2:${inside.port}/` }).end()
    })
    opened.push(started)
    const { pool } = open(openGuard(['127.0.0.1']))
    expect((await pool.request(started.url)).status).toBe(307)
    expect(inside.connections).toBe(0)
  })

  it.each([
    'ftp://example.org/',
    'file:///etc/passwd',
    'gopher://example.org:70/',
    'dict://example.org:11211/',
  ])('does not call %s', async (url) => {
    const { pool } = open(openGuard([]))
    await expect(pool.request(url)).rejects.toMatchObject({ code: 'BAD_INPUT' })
    expect(() => openGuard([]).refuse(new URL(url))).toThrow('neither http nor https')
  })

  it('does not call ports of other services', async () => {
    const { pool } = open(openGuard(['127.0.0.1']))
    for (const port of [22, 25, 465, 587, 6667]) {
      await expect(pool.request(`http://127.0.0.1:${port}/`)).rejects.toMatchObject(refused)
    }
  })

  it('lets servers on the internet through', () => {
    const guard = openGuard([])
    for (const host of [
      '93.184.216.34',
      '8.8.8.8',
      '[2606:4700::1111]',
      '172.32.0.1',
      '100.128.0.1',
      '11.0.0.1',
    ])
      expect(() => guard.refuse(new URL(`https://${host}/`))).not.toThrow()
  })
})

describe('a connection for another protocol', () => {
  it('tells when nobody takes it, and ends at the signal', async () => {
    const { outbound } = open(openGuard(['127.0.0.0/8']))
    const server = createServer().listen(0, '127.0.0.1')
    await new Promise((resolve) => server.once('listening', resolve))
    const { port } = server.address() as { port: number }
    await new Promise((resolve) => server.close(resolve))
    await expect(outbound.connect('127.0.0.1', port, { timeout: 5_000 })).rejects.toMatchObject({
      message: `127.0.0.1:${port} refuses the connection.`,
    })
    const gone = AbortSignal.abort(new Error('stopped'))
    await expect(outbound.connect('127.0.0.1', port, { timeout: 5_000, signal: gone })).rejects.toThrow(
      'stopped',
    )
  })
})
