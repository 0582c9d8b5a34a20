import { readFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { afterAll, afterEach, describe, expect, it } from 'vitest'
import { makeAuthorities } from '@/db/testing/certificates'
import { type MailServer, startMailServer } from '@/db/testing/receivers'
import { systemClock } from '@/server/clock'
import { openLog } from '@/server/log'
import { openGuard, openOutbound } from '@/server/outbound'
import { sendMail } from './mail'
import { mailText } from './mail-text'
import type { Carried, EmailFacts, Message } from './types'

const url = 'https://holdfast.example.org'
const authorities = makeAuthorities()
const authority = authorities.make('mail')
const { ssl_cert_file, ssl_key_file } = authority.sign('mail')
const identity = { cert: readFileSync(ssl_cert_file), key: readFileSync(ssl_key_file) }
const account = { user: 'holdfast', password: 'a secret of the mail server' }

const opened: { close(): Promise<void> }[] = []
afterEach(async () => {
  for (const thing of opened.splice(0).reverse()) await thing.close()
})
afterAll(() => authorities.remove())

async function server(options: Parameters<typeof startMailServer>[0] = {}): Promise<MailServer> {
  const started = await startMailServer(options)
  opened.push(started)
  return started
}

function outbound(allow: string[]) {
  const calls = openOutbound(
    { clock: systemClock, log: openLog('error', () => {}), guard: openGuard(allow) },
    [],
  )
  opened.push(calls)
  return calls
}

const config: EmailFacts = {
  ...{ host: '127.0.0.1', port: 25, tls: 'none', user: null },
  ...{ from: 'holdfast@example.org', to: ['ana@example.org', 'ops@example.org'], hourly: 20 },
}

interface Given {
  config: Partial<EmailFacts>
  password?: string
  message?: Message
  ca?: string | null
  allow?: string[]
  signal?: AbortSignal
}

function send({
  config: more,
  password,
  message = one,
  ca = authority.pem,
  allow = ['127.0.0.0/8'],
  signal,
}: Given) {
  const { connect } = outbound(allow)
  const mailbox = { name: 'ops', config: { ...config, ...more }, password: password ?? null }
  return sendMail(
    { connect, now: () => Date.UTC(2026, 10, 29, 5, 30), url, ca: ca ?? undefined },
    message,
    mailbox,
    signal ?? new AbortController().signal,
  )
}

const alert: Carried = {
  ...{ id: 'a-1', key: 'k', findingId: 'f-1', severity: 'high', title: 'Many wrong passwords for ana' },
  ...{ body: '12 within 5 minutes.\nFrom 192.0.2.7.', createdAt: Date.UTC(2026, 10, 29, 5, 29) },
}
const one: Message = { id: 'm-1', alerts: [alert], more: 0 }

/** Quoted-printable undone, as a mail program does. */
const plain = (raw: string) =>
  raw
    .replace(/=\r?\n/g, '')
    .replace(/(=[0-9A-F]{2})+/g, (bytes) => Buffer.from(bytes.replaceAll('=', ''), 'hex').toString('utf8'))

describe('mail', () => {
  it('says what happened, why, and where the finding is', async () => {
    const { port, mails } = await server()
    const sent = await send({ config: { port } })
    expect(sent).toMatchObject({ ok: true, answer: expect.stringMatching(/^250 /) })
    expect(mails).toMatchObject([{ from: 'holdfast@example.org', to: config.to, user: null, secure: false }])
    const raw = plain(mails[0]?.raw ?? '')
    expect(raw).toContain('From: Holdfast <holdfast@example.org>\r\n')
    expect(raw).toContain('Subject: [Holdfast] High: Many wrong passwords for ana\r\n')
    expect(raw).toContain('Message-ID: <m-1@holdfast.holdfast.example.org>\r\n')
    expect(raw).toContain('Content-Type: text/plain; charset=utf-8\r\n')
    expect(raw).toContain('12 within 5 minutes.\r\nFrom 192.0.2.7.\r\n')
    expect(raw).toContain('Raised: 2026-11-29 05:29:00 UTC\r\n')
    expect(raw).toContain('Look at it: https://holdfast.example.org/security/findings?finding=f-1\r\n')
    expect(raw).toContain('to the channel "ops"')
  })

  it('signs in over STARTTLS, and over TLS from the first byte, to a server whose certificate is verified', async () => {
    const starttls = await server({ ...identity, account })
    const implicit = await server({ ...identity, account, secure: true })
    const user = account.user
    for (const [{ port, mails }, tls] of [
      [starttls, 'starttls'],
      [implicit, 'implicit'],
    ] as const) {
      const sent = await send({ config: { port, tls, user }, password: account.password })
      expect(sent).toMatchObject({ ok: true })
      expect(mails).toMatchObject([{ user, secure: true }])
    }
  })

  it('sends neither password nor mail to a server whose certificate is not trusted, or is another’s', async () => {
    const { port, mails } = await server({ ...identity, account })
    const signIn = { user: account.user, tls: 'starttls' } as const
    const stranger = await send({ config: { port, ...signIn }, password: account.password, ca: null })
    expect(stranger).toMatchObject({ ok: false, error: expect.stringContaining('is not trusted') })
    const other = await send({ config: { port, host: 'localhost', ...signIn }, password: account.password })
    expect(other).toMatchObject({
      ok: false,
      error: expect.stringMatching(/The certificate of localhost:\d+ is not trusted: .*altnames/),
    })
    expect(mails).toEqual([])
  })

  it('sends nothing in the open where STARTTLS was asked for and is not offered', async () => {
    const { port, mails } = await server()
    const sent = await send({ config: { port, tls: 'starttls' } })
    expect(sent).toMatchObject({ ok: false, error: expect.stringContaining('offers no TLS by STARTTLS') })
    expect(mails).toEqual([])
  })

  it('tells why a server did not take it', async () => {
    const closed = await server()
    await closed.close()
    opened.pop()
    expect(await send({ config: { port: closed.port } })).toMatchObject({
      error: `127.0.0.1:${closed.port} refuses the connection. Check the port and that it is up.`,
    })

    const { port } = await server({ ...identity, account })
    const wrong = await send({ config: { port, tls: 'starttls', user: 'holdfast' }, password: 'wrong' })
    expect(wrong).toMatchObject({
      error: expect.stringContaining('did not accept the user holdfast and password'),
      answer: expect.stringContaining('Invalid username or password'),
    })

    const picky = await server({
      onRcptTo: (_, __, callback) => callback(new Error('No such mailbox here')),
    })
    expect(await send({ config: { port: picky.port } })).toMatchObject({
      error: expect.stringMatching(/refuses the sender or the receivers\. It said: .*No such mailbox here/),
    })

    const plainOnly = await server()
    expect(await send({ config: { port: plainOnly.port, tls: 'implicit' } })).toMatchObject({
      error: expect.stringContaining('does not speak TLS at this port'),
    })

    const web = createServer((socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n')).listen(
      0,
      '127.0.0.1',
    )
    await new Promise((resolve) => web.once('listening', resolve))
    opened.push({ close: () => new Promise((resolve) => web.close(() => resolve())) })
    const { port: webPort } = web.address() as { port: number }
    expect(await send({ config: { port: webPort } })).toMatchObject({
      error: expect.stringContaining('answered something that is not SMTP'),
    })
  })

  it('ends with the console, in the middle of a server’s silence', async () => {
    const silent = createServer(() => {}).listen(0, '127.0.0.1')
    await new Promise((resolve) => silent.once('listening', resolve))
    opened.push({ close: () => new Promise((resolve) => silent.close(() => resolve())) })
    const { port } = silent.address() as { port: number }
    const stop = new AbortController()
    const connected = new Promise((resolve) => silent.once('connection', resolve))
    const sending = send({ config: { port }, signal: stop.signal })
    await connected
    stop.abort(new Error('the console stops'))
    await expect(sending).rejects.toThrow('the console stops')
  })

  it('does not go to inner networks that nobody allowed', async () => {
    const { port, mails } = await server()
    for (const host of ['127.0.0.1', 'localhost', '2130706433', '0x7f.1', '::ffff:127.0.0.1']) {
      const sent = await send({ config: { host, port }, allow: [] })
      expect(sent).toMatchObject({ ok: false, error: expect.stringContaining('set OUTBOUND_ALLOW') })
    }
    expect(mails).toEqual([])
  })

  it.each([
    'Sign-in\r\nBcc: everybody@example.org',
    'Sign-in\nBcc: everybody@example.org\n\nAnother body',
    'Sign-in\u2028Bcc: everybody@example.org',
    'Sign-in\u0000\u0085Bcc: everybody@example.org',
  ])('takes no header from a title: %j', async (title) => {
    const { port, mails } = await server()
    expect(
      await send({ config: { port }, message: { ...one, alerts: [{ ...alert, title }] } }),
    ).toMatchObject({
      ok: true,
    })
    const [mail] = mails
    expect(mail?.to).toEqual(config.to)
    const head = mail?.raw.split('\r\n\r\n')[0] ?? ''
    expect(head).not.toMatch(/^Bcc:/im)
    expect(head.match(/^Subject:/gm)).toHaveLength(1)
  })

  it('takes no receiver from an address with a line break', async () => {
    const { port, mails } = await server()
    const to = ['ana@example.org\r\nRCPT TO:<eve@example.net>', 'ops@example.org']
    await send({ config: { port, to } })
    const receivers = mails.flatMap((mail) => mail.to)
    expect(receivers).toContain('ops@example.org')
    expect(receivers.filter((address) => /^<?eve@example\.net>?$/.test(address))).toEqual([])
    expect(receivers.length).toBeLessThanOrEqual(2)
  })
})

describe('a digest', () => {
  it('tells the gravest first, of fifty at most, and how many there are', () => {
    const many = Array.from(
      { length: 60 },
      (_, at): Carried => ({
        ...alert,
        ...{
          id: `a-${at}`,
          title: `Alert ${at}`,
          severity: at === 41 ? 'critical' : 'medium',
          createdAt: at,
        },
      }),
    )
    const { subject, text } = mailText({ id: 'm', alerts: many, more: 0 }, { url, channel: 'ops' })
    expect(subject).toBe('[Holdfast] 60 alerts, the gravest critical')
    expect(text.split('\n')[2]).toBe('Critical: Alert 41')
    expect(text.match(/^(Critical|Medium): /gm)).toHaveLength(50)
    expect(text).toContain(`And 10 more: ${url}/security/alerts`)
  })
})
