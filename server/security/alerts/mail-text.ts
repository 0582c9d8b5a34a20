import type { Severity } from '@/db/tables'
import { severities } from '@/server/audit/severity'
import type { Message } from './types'
import { findingLink } from './webhook'

/** Alerts that one digest tells of; the page shows the rest. */
const TOLD = 50

/** Subject and plain text of a mail about one alert, about several, or, without one, of a test. */
export function mailText(
  { alerts, more }: Message,
  { url, channel }: { url: string; channel: string },
): { subject: string; text: string } {
  const page = `${url}/security/alerts`
  const foot = [
    '',
    '-- ',
    `Sent by Holdfast at ${url} to the channel "${channel}".`,
    `Change or end it: ${page}`,
  ]
  const [alert] = alerts
  if (!alert) {
    const text = ['This is a test: mail of this channel arrives.', ...foot]
    return { subject: '[Holdfast] Test of the channel', text: text.join('\n') }
  }
  const count = alerts.length + more
  if (count === 1) {
    const text = [
      ...[`${word(alert.severity)}: ${alert.title}`, '', alert.body, ''],
      ...[`Raised: ${moment(alert.createdAt)}`, `Look at it: ${findingLink(url, alert.findingId)}`, ...foot],
    ]
    return { subject: line(`[Holdfast] ${word(alert.severity)}: ${alert.title}`), text: text.join('\n') }
  }
  const sorted = [...alerts].sort(
    (a, b) => severities.indexOf(b.severity) - severities.indexOf(a.severity) || a.createdAt - b.createdAt,
  )
  const told = sorted
    .slice(0, TOLD)
    .flatMap(({ severity, title, createdAt, findingId }) => [
      ...[`${word(severity)}: ${title}`, `  ${moment(createdAt)}  ${findingLink(url, findingId)}`, ''],
    ])
  const left = count - Math.min(TOLD, sorted.length)
  const text = [
    ...[`${count} alerts, the gravest first.`, '', ...told],
    ...(left > 0 ? [`And ${left} more: ${page}`, ''] : []),
    ...foot,
  ]
  const worst = word(sorted[0]?.severity ?? alert.severity).toLowerCase()
  return { subject: `[Holdfast] ${count} alerts, the gravest ${worst}`, text: text.join('\n') }
}

const word = (severity: Severity) => `${severity[0]?.toUpperCase()}${severity.slice(1)}`
const moment = (at: number) => `${new Date(at).toISOString().slice(0, 19).replace('T', ' ')} UTC`

/** A header is one line, whatever stands in the store. */
const line = (text: string) => text.replace(/[\p{Cc}\p{Cs}\p{Zl}\p{Zp}]+/gu, ' ')
