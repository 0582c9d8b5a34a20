import { formatTime } from '@/components/ui/format'
import type { Series } from './geometry'

/**
 * Rows as CSV (RFC 4180, CRLF). Text that a spreadsheet would run as a formula gets a leading apostrophe
 * (OWASP, CSV injection); numbers stay numbers.
 */
export function toCsv(rows: readonly (readonly (string | number | null | undefined)[])[]): string {
  return rows.map((row) => `${row.map(cell).join(',')}\r\n`).join('')
}

/** A chart's data as CSV: the time in the console's zone, which the header names, and the exact instant beside it. */
export function chartCsv(times: readonly number[], series: readonly Series[], zone: string): string {
  return toCsv([
    [`time (${zone})`, 'unix_ms', ...series.map(({ label }) => label)],
    ...times.map((time, at) => [formatTime(time, zone), time, ...series.map(({ values }) => values[at])]),
  ])
}

/** Hands a text to the browser as a file. */
export function downloadText(name: string, text: string, type = 'text/csv;charset=utf-8'): void {
  const url = URL.createObjectURL(new Blob([text], { type }))
  const link = document.createElement('a')
  link.href = url
  link.download = name
  link.click()
  setTimeout(() => URL.revokeObjectURL(url), 10_000)
}

function cell(value: string | number | null | undefined): string {
  if (value === null || value === undefined) return ''
  if (typeof value === 'number') return Number.isFinite(value) ? String(value) : ''
  const safe = /^[=+\-@\t\r]/.test(value) ? `'${value}` : value
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe
}
