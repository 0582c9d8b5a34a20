export const CONNECTION_LOST = 'The connection was lost.'

/** The error of a call that was not answered within its deadline. One for all: nobody reads its stack. */
export class LateError extends Error {
  override name = 'LateError'
  constructor() {
    super('Redis did not answer in time.')
  }
}

/** A reason that is already in plain words. */
export class PlainError extends Error {
  override name = 'PlainError'
}

const replies: [RegExp, string][] = [
  [
    /^(NOAUTH|WRONGPASS)|invalid password|invalid username/i,
    'The password or user name is missing or wrong.',
  ],
  [/cluster support disabled/i, 'The server is not a cluster.'],
  [/^(MOVED|ASK|CROSSSLOT) /, 'The server is a cluster: set REDIS_CLUSTER_ENABLED.'],
  [/^OOM/, 'Redis is out of memory.'],
  [/^READONLY/, 'The server is a replica and takes no writes.'],
  [/^MISCONF/, 'Redis cannot save its data and takes no writes.'],
  [/^NOREPLICAS/, 'Redis takes no writes: too few replicas follow it.'],
  [/^CLUSTERDOWN/, 'The cluster is down: a part of it has no node.'],
  [/^MASTERDOWN/, 'The server is a replica that lost its primary.'],
  [/^LOADING/, 'Redis is loading its data.'],
  [/^BUSY/, 'Redis is busy with a script.'],
  [/^NOPERM/, 'The Redis user may not do this.'],
  [/max number of clients/i, 'Redis takes no more connections.'],
  [/DB index is out of range|invalid DB index/i, 'The database number does not exist.'],
  [/protected mode/i, 'Redis is in protected mode: it wants a password.'],
  [/protocol error|unknown RESP|please report this/i, 'What answers there is not a Redis.'],
]

const codes: Record<string, string> = {
  ECONNREFUSED: 'Nothing listens there.',
  ENOTFOUND: 'The host name is unknown.',
  EAI_AGAIN: 'The host name cannot be looked up now.',
  ETIMEDOUT: 'Redis did not answer in time.',
  EHOSTUNREACH: 'The host cannot be reached.',
  ENETUNREACH: 'The network cannot be reached.',
  EACCES: 'The connection was forbidden.',
  EPROTO: 'The server does not speak TLS, or another kind of it.',
}

/** Why Redis failed, in one plain sentence without secrets. */
export function reasonOf(error: unknown): string {
  if (error instanceof LateError || error instanceof PlainError) return error.message
  const { message = '', code = '' } = error as Error & { code?: string }
  const reply = replies.find(([pattern]) => pattern.test(message))
  if (reply) return reply[1]
  if (/CERT|SELF_SIGNED|UNABLE_TO/.test(code) || /certificate/i.test(message)) {
    return 'The certificate of the server is not trusted.'
  }
  if (/^ERR_(SSL|TLS)/.test(code)) return codes.EPROTO as string
  return codes[code] ?? CONNECTION_LOST
}

/** Whether an error tells more than that the client isn't connected. */
export function isTelling(error: unknown): boolean {
  return !/isn't writeable|Connection is closed|max retries per request/i.test((error as Error).message)
}

/** Writes are refused, and reads may go on. */
export function isRefusal(error: Error): boolean {
  return /^(OOM|READONLY|MISCONF|NOREPLICAS|CLUSTERDOWN|NOPERM) ?/.test(error.message)
}

/** The server answers, and can't be used at all. */
export function isUnusable(error: Error): boolean {
  return /^(NOAUTH|WRONGPASS|LOADING|BUSY|MASTERDOWN)/.test(error.message)
}

/** MOVED or ASK: where the slot of a key is now. */
export function redirectionOf(error: Error): { ask: boolean; slot: number; to: string } | undefined {
  const [, kind, slot, to] = /^(MOVED|ASK) (\d+) (\S+)/.exec(error.message) ?? []
  return kind ? { ask: kind === 'ASK', slot: Number(slot), to: to as string } : undefined
}
