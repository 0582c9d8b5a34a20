/**
 * How values are written, in one place. Every function is pure and says the same on server and browser.
 * Zero, null and missing look different: `0` is a measured zero, `NONE` a source that has no such value,
 * `MISSING` a reading that has not come (yet).
 */
export const NONE = 'n/a'
export const MISSING = '—'

/** A number that may be null (the source has no such value) or undefined (no reading yet). */
export type Reading = number | null | undefined

const LOCALE = 'en-US'
const whole = new Intl.NumberFormat(LOCALE, { maximumFractionDigits: 0 })

/** Writes the two kinds of absence, or hands a real number to `write`. NaN and infinities are missing. */
function absentOr(value: Reading, write: (value: number) => string): string {
  if (value === null) return NONE
  if (value === undefined || !Number.isFinite(value)) return MISSING
  return write(value)
}

/** `1,234,567` or, with digits, `12.50`. */
export function formatNumber(value: Reading, digits = 0): string {
  return absentOr(value, (number) =>
    digits === 0
      ? whole.format(number)
      : number.toLocaleString(LOCALE, { minimumFractionDigits: digits, maximumFractionDigits: digits }),
  )
}

/** Short numbers for narrow places: `999`, `1.2 k`, `34 M`. */
export function formatCompact(value: Reading): string {
  return absentOr(value, (number) => {
    const size = Math.abs(number)
    if (size < 1000) return Number.isInteger(number) ? String(number) : trimTo(number, size < 10 ? 2 : 1)
    const [step, unit] = size < 999_500 ? [1e3, 'k'] : size < 999_500_000 ? [1e6, 'M'] : [1e9, 'G']
    const scaled = number / (step as number)
    return `${trimTo(scaled, Math.abs(scaled) < 10 ? 1 : 0)} ${unit}`
  })
}

/** A share between 0 and 1 as `98.4 %`, and the least as `< 0.1 %`; only exact 1 and 0 lose their decimal. */
export function formatShare(share: Reading): string {
  return absentOr(share, (number) => {
    if (number === 0 || number === 1) return `${number * 100} %`
    if (number > 0 && number < 0.0005) return '< 0.1 %'
    const percent = Math.min(number * 100, number < 1 ? 99.9 : Number.POSITIVE_INFINITY)
    return `${formatNumber(percent, 1)} %`
  })
}

const BYTE_UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB']

/** Bytes in binary units, three significant figures: `0 B`, `1.50 KiB`, `512 MiB`. */
export function formatBytes(bytes: Reading): string {
  return joined(bytesParts(bytes))
}

/** The same in two parts, for a figure with a small unit. */
export function bytesParts(bytes: Reading): Parts {
  return partsOr(bytes, (number) => {
    let scaled = Math.abs(number)
    let at = 0
    while (scaled >= 1023.5 && at < BYTE_UNITS.length - 1) {
      scaled /= 1024
      at += 1
    }
    const figure = at === 0 ? String(Math.round(scaled)) : significant(scaled)
    return { figure: number < 0 ? `−${figure}` : figure, unit: BYTE_UNITS[at] ?? 'B' }
  })
}

/** Milliseconds as people say them: `0 ms`, `0.42 ms`, `18 ms`, `1.4 s`, `3 min 20 s`, `2 h 5 min`, `3 d 4 h`. */
export function formatDuration(ms: Reading): string {
  return joined(durationParts(ms))
}

/** The same in two parts while one unit is enough; longer spans carry their units in the figure. */
export function durationParts(ms: Reading): Parts {
  return partsOr(ms, (number) => {
    if (number < 0) return { figure: MISSING }
    if (number === 0) return { figure: '0', unit: 'ms' }
    if (number < 10) return { figure: trimTo(number, 2), unit: 'ms' }
    if (number < 999.5) return { figure: String(Math.round(number)), unit: 'ms' }
    if (number < 9_950) return { figure: trimTo(number / 1000, 1), unit: 's' }
    const seconds = Math.round(number / 1000)
    if (seconds < 60) return { figure: String(seconds), unit: 's' }
    if (seconds < 3600) return { figure: pair(Math.floor(seconds / 60), 'min', seconds % 60, 's') }
    const minutes = Math.round(seconds / 60)
    if (minutes < 1440) return { figure: pair(Math.floor(minutes / 60), 'h', minutes % 60, 'min') }
    const hours = Math.round(minutes / 60)
    return { figure: pair(Math.floor(hours / 24), 'd', hours % 24, 'h') }
  })
}

/** An estimate is a range: `2–3 min`, `40–55 s`. Both ends in milliseconds; missing ends give `—`. */
export function formatEta(fromMs: Reading, toMs: Reading): string {
  if (typeof fromMs !== 'number' || typeof toMs !== 'number') return MISSING
  if (!Number.isFinite(fromMs) || !Number.isFinite(toMs) || toMs < fromMs) return MISSING
  const [step, unit] = toMs < 90_000 ? [1e3, 's'] : toMs < 5_400_000 ? [60e3, 'min'] : [3600e3, 'h']
  const from = Math.floor(fromMs / (step as number))
  const to = Math.max(Math.ceil(toMs / (step as number)), 1)
  return from === to ? `${to} ${unit}` : `${from}–${to} ${unit}`
}

/** Per-second rate: `0 /s`, `3.4 /s`, `12,400 /s`. */
export function formatRate(perSecond: Reading): string {
  return absentOr(perSecond, (number) => `${number < 10 ? trimTo(number, 1) : whole.format(number)} /s`)
}

/** `1 row`, `2 rows`; the plural is given only where adding an s is wrong. */
export function formatCount(count: Reading, one: string, many = `${one}s`): string {
  return `${formatNumber(count)} ${count === 1 ? one : many}`
}

/** A point in time in the given zone, always with the zone's name where `withZone` is set. */
export function formatTime(at: Reading, zone: string, options: TimeOptions = {}): string {
  return absentOr(at, (ms) => {
    const parts = new Map(
      timeFormat(zone)
        .formatToParts(ms)
        .map((part) => [part.type, part.value]),
    )
    const date = `${parts.get('year')}-${parts.get('month')}-${parts.get('day')}`
    const seconds = options.seconds === false ? '' : `:${parts.get('second')}`
    const time = `${parts.get('hour')}:${parts.get('minute')}${seconds}`
    const shown = options.only === 'date' ? date : options.only === 'time' ? time : `${date} ${time}`
    return options.withZone ? `${shown} ${zone}` : shown
  })
}

export type TimeOptions = { only?: 'date' | 'time'; seconds?: boolean; withZone?: boolean }

/** ISO 8601 in UTC, or the empty string for a missing time. */
export function isoTime(at: Reading): string {
  return typeof at === 'number' && Number.isFinite(at) ? new Date(at).toISOString() : ''
}

/** Distance from now in one unit: `just now`, `12 s ago`, `3 min ago`, `in 2 h`, `4 d ago`. */
export function formatRelative(at: Reading, now: number): string {
  return absentOr(at, (ms) => {
    const distance = Math.abs(now - ms)
    if (distance < 1500) return 'just now'
    const [step, unit] =
      distance < 60e3
        ? [1e3, 's']
        : distance < 3600e3
          ? [60e3, 'min']
          : distance < 86400e3
            ? [3600e3, 'h']
            : [86400e3, 'd']
    const shown = `${Math.floor(distance / (step as number))} ${unit}`
    return ms > now ? `in ${shown}` : `${shown} ago`
  })
}

export type Parts = { figure: string; unit?: string }

function partsOr(value: Reading, write: (value: number) => Parts): Parts {
  if (value === null) return { figure: NONE }
  if (value === undefined || !Number.isFinite(value)) return { figure: MISSING }
  return write(value)
}

function joined({ figure, unit }: Parts): string {
  return unit ? `${figure} ${unit}` : figure
}

function pair(big: number, bigUnit: string, small: number, smallUnit: string): string {
  return small === 0 ? `${big} ${bigUnit}` : `${big} ${bigUnit} ${small} ${smallUnit}`
}

/** At most `digits` decimals, without trailing zeros. */
function trimTo(value: number, digits: number): string {
  return String(Number(value.toFixed(digits)))
}

function significant(value: number): string {
  return value >= 99.95 ? value.toFixed(0) : value >= 9.995 ? value.toFixed(1) : value.toFixed(2)
}

const timeFormats = new Map<string, Intl.DateTimeFormat>()

function timeFormat(zone: string): Intl.DateTimeFormat {
  let format = timeFormats.get(zone)
  if (!format) {
    format = new Intl.DateTimeFormat('en-GB', {
      timeZone: zone,
      hourCycle: 'h23',
      year: 'numeric',
      month: '2-digit',
      day: '2-digit',
      hour: '2-digit',
      minute: '2-digit',
      second: '2-digit',
    })
    timeFormats.set(zone, format)
  }
  return format
}
