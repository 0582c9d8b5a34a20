import { valueText } from './names'

/** Commands that only read, or change nothing but times and names: their arguments are keys, ranges and patterns. */
const OPEN = new Set(
  `GET MGET EXISTS DEL UNLINK KEYS SCAN TTL PTTL TYPE TOUCH STRLEN GETRANGE GETBIT BITCOUNT DUMP
  EXPIRE PEXPIRE EXPIREAT PEXPIREAT PERSIST RENAME RENAMENX COPY MOVE RANDOMKEY DBSIZE FLUSHALL FLUSHDB
  HGETALL HGET HMGET HKEYS HVALS HLEN HEXISTS HSTRLEN HSCAN HDEL HRANDFIELD
  LRANGE LLEN LINDEX LTRIM LPOP RPOP SMEMBERS SCARD SINTER SUNION SDIFF SSCAN SPOP SRANDMEMBER
  SINTERSTORE SUNIONSTORE SDIFFSTORE ZRANGE ZREVRANGE ZRANGEBYSCORE ZREVRANGEBYSCORE ZCARD ZCOUNT ZSCAN
  ZREMRANGEBYRANK ZREMRANGEBYSCORE ZPOPMIN ZPOPMAX ZUNIONSTORE ZINTERSTORE ZRANDMEMBER
  XRANGE XREVRANGE XREAD XREADGROUP XLEN XINFO XTRIM XACK XDEL XPENDING SORT SORT_RO OBJECT MEMORY
  INFO SLOWLOG CLUSTER COMMAND LATENCY SELECT WAIT SAVE BGSAVE BGREWRITEAOF PSYNC SYNC REPLCONF
  SUBSCRIBE PSUBSCRIBE SSUBSCRIBE UNSUBSCRIBE MULTI EXEC DISCARD WATCH UNWATCH ROLE LASTSAVE TIME`.split(
    /\s+/,
  ),
)
/** Commands of which not even the first argument is shown: it is a secret, or a value. */
const CLOSED = new Set('AUTH HELLO ACL MIGRATE ECHO PING'.split(' '))

const LONGEST = 1_000

/** A command of the slow log with the values of writes, scripts and secrets as `(N bytes)`; keys are shown. */
export function hideValues(bytes: readonly Buffer[]): string {
  const words = bytes.map(valueText)
  const [name = '', ...args] = words
  const command = name.toUpperCase()
  const text = [
    command,
    ...args.map((arg, at) => (isShown(command, args, at) ? arg : hidden(bytes[at + 1] as Buffer))),
  ].join(' ')
  return text.length > LONGEST ? `${text.slice(0, LONGEST)}…` : text
}

function isShown(command: string, args: readonly string[], at: number): boolean {
  if (OPEN.has(command) || isNoteOfMore(args[at] as string)) return true
  if (CLOSED.has(command)) return false
  switch (command) {
    case 'CONFIG':
    case 'CLIENT':
    case 'SCRIPT':
    case 'FUNCTION':
      // CONFIG SET requirepass …: the name of the setting is shown, its value isn't.
      return at < 2 && (at === 0 || command === 'CONFIG')
    case 'SET':
    case 'SETNX':
    case 'GETSET':
      return at !== 1
    case 'SETEX':
    case 'PSETEX':
    case 'SETRANGE':
      return at < 2
    case 'MSET':
    case 'MSETNX':
      return at % 2 === 0
    case 'HSET':
    case 'HMSET':
    case 'HSETNX':
      return at === 0 || at % 2 === 1
    case 'EVAL':
    case 'EVAL_RO':
    case 'EVALSHA':
    case 'EVALSHA_RO':
    case 'FCALL':
    case 'FCALL_RO':
      return at === 0 ? !command.startsWith('EVAL') || command.includes('SHA') : at < 2 + keysOf(args)
    default:
      return at === 0
  }
}

/** How many keys a script is called with. */
function keysOf(args: readonly string[]): number {
  const keys = Number(args[1])
  return Number.isSafeInteger(keys) && keys >= 0 ? keys : 0
}

/** The slow log keeps 128 bytes of an argument and tells of the rest: `… (N more bytes)`. */
function hidden(arg: Buffer): string {
  const cut = /^(.*)\.\.\. \((\d+) more bytes\)$/s.exec(arg.toString('latin1'))
  return `(${cut ? (cut[1] as string).length + Number(cut[2]) : arg.length} bytes)`
}

/** What stands for the arguments over 32: `... (N more arguments)`. */
function isNoteOfMore(arg: string): boolean {
  return /^\.\.\. \(\d+ more arguments\)$/.test(arg)
}
