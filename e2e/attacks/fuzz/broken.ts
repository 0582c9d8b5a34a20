import fc from 'fast-check'
import type { Wire } from './wire'

/** Turns a request into one that HTTP still carries and that is wrong above it. */
export type Break = (wire: Wire) => Wire

const longest = 1_048_576
const bodies: (string | Buffer)[] = [
  ...[
    '{',
    '{"a":',
    '[1,2',
    'nul',
    '"',
    'undefined',
    '{"a":1}{"b":2}',
    '\ufeff{}',
    '{}\u0000',
    '\u0000',
    "{'a':1}",
  ],
  ...[
    'null',
    '1',
    '"text"',
    '[]',
    'true',
    '1e99999',
    '{"id":1,"id":2}',
    '{"__proto__":{"x":1}}',
    '{"a":"\\ud800"}',
  ],
  ...[
    `${'['.repeat(100_000)}`,
    `{"a":${'['.repeat(50_000)}${']'.repeat(50_000)}}`,
    `"${'x'.repeat(longest)}"`,
  ],
  ...[
    ' '.repeat(longest - 2),
    `{"a":"${'y'.repeat(longest - 20)}"}`,
    '{"a":-}',
    '{"a":01}',
    '{"a":.5}',
    '--x\r\n\r\n',
  ],
  ...[
    Buffer.from([0xff, 0xfe, 0x00]),
    Buffer.from('{"a":"\xff\xfe"}', 'latin1'),
    Buffer.from('{}', 'utf16le'),
  ],
]
const types = [
  ...[
    'text/plain',
    'application/x-www-form-urlencoded',
    'multipart/form-data; boundary=x',
    'application/xml',
    'x',
  ],
  ...[
    'application/json; charset=utf-16',
    'APPLICATION/JSON',
    'application/json;;;',
    'application/jsonp',
    '',
    '/',
  ],
]
const methods = [
  'GET',
  'POST',
  'PUT',
  'DELETE',
  'PATCH',
  'HEAD',
  'OPTIONS',
  'TRACE',
  'PROPFIND',
  'QUERY',
  'LINK',
]
const tails = [
  ...[
    '%',
    '%zz',
    '%ff',
    '%00',
    '%c0%af',
    '/',
    '//',
    '/..',
    '/%2e%2e/',
    ';a=b',
    '/__proto__',
    '.',
    ',',
    '%2c',
    '%0d%0a',
  ],
  ...[
    '.constructor',
    '.then',
    '.__proto__',
    '/'.repeat(500),
    'x'.repeat(7_000),
    '%F0%9F',
    '\\..\\',
    '#',
    '?',
    '"<>',
  ],
]
const places = [
  ...[
    '/api/trpc/__proto__',
    '/api/trpc/constructor.prototype',
    '/api/trpc/',
    '/api/trpc/,',
    '/api/trpc//',
    '/api/trpc/.',
  ],
  ...[
    '/api/trpc/auth',
    '/api/trpc/toString',
    '/api/trpc/system.live,system.about?batch=1',
    '/api/trpc/system.live',
  ],
  ...[
    '/api/infrastructure/',
    '/api/auth/',
    '/api/infrastructure/__proto__',
    '/api',
    '/api/nothing',
    '//api/auth/me',
  ],
  ...[
    '/api/infrastructure/system/../../auth/me',
    '/_next/data/x.json',
    '/_next/image?url=x',
    '/_next/static/../../x',
  ],
]
const queries = [
  ...[
    'batch=1',
    'batch=0',
    'batch',
    'batch=1&batch=1',
    'input=',
    'input=%',
    'input=%7B',
    'input=null',
    'input=%00',
  ],
  ...[
    'input=1&input=2',
    'batch=1&input=[]',
    'batch=1&input=%7B%220%22%3A1%7D',
    'batch=1&input=null',
    '&&&=&=',
    '%=%',
  ],
  ...[
    'id=1&id=2',
    'limit=NaN',
    'limit=-1',
    'limit=1e9',
    'limit=0x10',
    'limit=',
    '__proto__=1',
    'constructor[a]=1',
  ],
  ...[
    'from=9e99',
    'to=-8640000000000001',
    'lastEventId=x',
    'Last-Event-Id=%ff',
    `x=${'y'.repeat(9_000)}`,
    'input=%ff',
  ],
  ...[Array.from({ length: 900 }, (_, at) => `k${at}=1`).join('&'), 'input=%7B%22a%22%3A%22%5Cud800%22%7D'],
]
const headers: Record<string, string>[] = [
  ...['', ' ', '"', 'a b', '"a"b"', 'é', 'x'.repeat(201), 'x'.repeat(8_000), '{}', '0'].map((key) => ({
    'idempotency-key': key,
  })),
  ...['00-0-0-0', 'ff-'.repeat(2_000), '00-00000000000000000000000000000000-0000000000000000-00', 'é'].map(
    (parent) => ({ traceparent: parent, tracestate: 'a=b,'.repeat(100) }),
  ),
  ...['x', '../..', '00000000-0000-0000-0000-000000000000', "' OR 1=1", 'y'.repeat(5_000)].map((grant) => ({
    'holdfast-step-up': grant,
  })),
  ...['x', 'a=b; a=c', '__proto__=1', `c=${'z'.repeat(4_000)}`, '%=%', ';;;', 'é=ü', 'holdfast_access=x'].map(
    (cookie) => ({ cookie }),
  ),
  ...['127.0.0.1', 'x', '::', ','.repeat(100), '127.0.0.1, 8.8.8.8'].map((from) => ({
    'x-forwarded-for': from,
  })),
  ...['gzip', 'br', 'x, y', ''].map((encoding) => ({
    'content-encoding': encoding,
    'accept-encoding': encoding,
  })),
  ...['bytes=0-', 'bytes=9-1', 'x'].map((range) => ({ range, 'if-range': '"x"', 'if-none-match': '*' })),
  ...['text/event-stream', 'image/*', '*/*;q=0', ''].map((accept) => ({
    accept,
    'trpc-accept': 'application/jsonl',
  })),
  ...[
    { 'x-request-id': '"\\' },
    { 'x-request-id': 'z'.repeat(3_000) },
    { 'last-event-id': 'é' },
    { host: 'é' },
  ],
  ...[
    { 'x-holdfast-peer': '8.8.8.8' },
    { expect: '200-maybe' },
    { 'user-agent': 'é'.repeat(2_000) },
    { te: 'x' },
  ],
  ...[
    { 'next-action': 'x' },
    { rsc: '1' },
    { 'next-router-state-tree': '%' },
    { 'x-middleware-subrequest': 'x' },
  ],
]
/** What is refused as somebody else's; few of these, since a refusal reaches nothing. */
const strangers: Record<string, string>[] = [
  ...['Bearer ', 'Bearer x.y.z', 'Basic eDp5', 'Bearer é', 'bearer'].map((value) => ({
    authorization: value,
  })),
  ...['null', 'https://example.org', 'x', ''].map((origin) => ({ origin, 'sec-fetch-site': 'cross-site' })),
]

const changed =
  (change: Partial<Wire>): Break =>
  (wire) => ({ ...wire, ...change })
const withHeaders =
  (more: Record<string, string>): Break =>
  (wire) => ({ ...wire, headers: { ...wire.headers, ...more } })
const withQuery =
  (query: string): Break =>
  (wire) => ({ ...wire, path: `${wire.path}${wire.path.includes('?') ? '&' : '?'}${query}` })
/** Before the query. */
const withTail =
  (tail: string): Break =>
  (wire) => ({ ...wire, path: wire.path.replace(/(\?|$)/, (rest) => `${tail}${rest}`) })

/** Whatever can be wrong with a request around its input. */
export const breaks: fc.Arbitrary<Break> = fc.oneof(
  { arbitrary: fc.constantFrom(...bodies).map((body) => sentAs(body)), weight: 5 },
  { arbitrary: fc.uint8Array({ maxLength: 300 }).map((bytes) => sentAs(Buffer.from(bytes))), weight: 1 },
  { arbitrary: fc.constantFrom(...types).map((type) => withHeaders({ 'content-type': type })), weight: 2 },
  { arbitrary: fc.constantFrom(...methods).map((method) => changed({ method })), weight: 3 },
  { arbitrary: fc.constantFrom(...tails).map(withTail), weight: 3 },
  { arbitrary: fc.constantFrom(...places).map((path) => changed({ path })), weight: 2 },
  { arbitrary: fc.constantFrom(...queries).map(withQuery), weight: 4 },
  { arbitrary: fc.constantFrom(...headers).map(withHeaders), weight: 5 },
  { arbitrary: fc.constantFrom(...strangers).map(withHeaders), weight: 1 },
)

const sentAs =
  (body: string | Buffer): Break =>
  (wire) => ({
    ...wire,
    method: 'POST',
    headers: { ...wire.headers, 'content-type': 'application/json' },
    body,
  })
