export type LogLevel = 'debug' | 'info' | 'warn' | 'error'

export type LogFields = Record<string, unknown>

/** Structured log: one JSON object a line, on standard error. */
export interface Log {
  debug(fields: LogFields, message: string): void
  info(fields: LogFields, message: string): void
  warn(fields: LogFields, message: string): void
  error(fields: LogFields, message: string): void
}

const ranks: Record<LogLevel, number> = { debug: 10, info: 20, warn: 30, error: 40 }

/** Opens a log that keeps lines of `least` and above. */
export function openLog(
  least: LogLevel,
  write: (line: string) => void = (line) => process.stderr.write(line),
): Log {
  const at = (level: LogLevel) => (fields: LogFields, message: string) => {
    if (ranks[level] < ranks[least]) return
    write(`${JSON.stringify({ time: new Date().toISOString(), level, message, ...plain(fields) })}\n`)
  }
  return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') }
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
