import fc from 'fast-check'

const line = 'GET /api/auth/me HTTP/1.1\r\n'
/** What is no HTTP, or hardly. */
export const noHttp: fc.Arbitrary<Buffer> = fc.oneof(
  fc
    .uint8Array({ minLength: 1, maxLength: 200 })
    .map((bytes) => Buffer.concat([Buffer.from(bytes), Buffer.from('\r\n\r\n')])),
  fc
    .constantFrom(
      ...[`${line}\r\n`, `${line}Host: x\r\nHost: y\r\n\r\n`, `${line}Host: x\r\nContent-Length: -1\r\n\r\n`],
      ...[
        `${line}Host: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
        'GET\r\n\r\n',
        '\r\n\r\n',
      ],
      ...[
        `${line}Host: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n\r\n`,
        `${line}Host: x\r\nA\0B: c\r\n\r\n`,
      ],
      ...[
        `${line}Host: x\r\nX: ${'y'.repeat(20_000)}\r\n\r\n`,
        'GET http://[::1 HTTP/1.1\r\nHost: x\r\n\r\n',
      ],
      ...[
        'CONNECT x:1 HTTP/1.1\r\nHost: x\r\n\r\n',
        'GET * HTTP/1.1\r\nHost: x\r\n\r\n',
        'OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n',
      ],
      ...[
        'GET http://example.org/api/auth/me HTTP/1.1\r\nHost: x\r\n\r\n',
        'GET //[ HTTP/1.1\r\nHost: x\r\n\r\n',
      ],
      ...[
        'GET /api/trpc/\xff\xfe HTTP/1.1\r\nHost: x\r\n\r\n',
        'GET /\u0000 HTTP/1.1\r\nHost: x\r\n\r\n',
        'PRI * HTTP/2.0\r\n\r\n',
      ],
      ...[
        'POST /api/auth/login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 99\r\n\r\n{"a":',
      ],
      ...[
        'GET /api/trpc/system.live HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n',
      ],
    )
    .map((text) => Buffer.from(text, 'latin1')),
)
