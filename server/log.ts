import pino from 'pino'
import { scopeFields } from './scope'

export type LogLevel = 'debug' | 'info' | 'warn' | 'error'

export type LogFields = Record<string, unknown>

/** Structured log: one JSON object a line, on standard error. Lines tell of themselves whose work wrote them. */
export interface Log {
  debug(fields: LogFields, message: string): void
  info(fields: LogFields, message: string): void
  warn(fields: LogFields, message: string): void
  error(fields: LogFields, message: string): void
}

/** Names under which nobody should log, and whose values are hidden if somebody does. */
const SECRETS = [
  ...['password', 'passphrase', 'secret', 'token', 'accessToken', 'refreshToken', 'apiKey'],
  ...['authorization', 'cookie', 'privateKey', 'masterKey'],
]

/** Opens a log that keeps lines of `least` and above. */
export function openLog(least: LogLevel, write?: (line: string) => void): Log {
  return pino(
    {
      level: least,
      base: null,
      messageKey: 'message',
      timestamp: () => `,"time":"${new Date().toISOString()}"`,
      formatters: { level: (level) => ({ level }), log: plain },
      mixin: () => ({ ...scopeFields() }),
      redact: { paths: SECRETS.flatMap((name) => [name, `*.${name}`]), censor: '[hidden]' },
    },
    // Written before the call returns: what a process says last is what one looks for.
    write ? { write } : pino.destination({ dest: 2, sync: true }),
  )
}

/** Errors become name and code: a driver's message can hold bound parameters, so it stays out of the log. */
function plain(fields: LogFields): LogFields {
  return Object.fromEntries(
    Object.entries(fields).map(([key, value]) =>
      value instanceof Error
        ? [key, { name: value.name, code: (value as { code?: unknown }).code, stack: frames(value) }]
        : [key, value],
    ),
  )
}

/** The stack without its first lines, which repeat the message. */
function frames(error: Error): string[] {
  return (error.stack ?? '')
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line.startsWith('at '))
    .slice(0, 12)
}
