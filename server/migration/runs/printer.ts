import type { Check, Job, Phase, RunEvent, RunReport, TableProgress } from '../types'
import type { RunEnd } from './client'
import { planText } from './plan-text'

/** Shows a run on a terminal: a bar that is drawn over, plain lines where the output is not a terminal, or JSON. */
export interface Printer {
  begin(job: Job): void
  event(event: RunEvent): void
  end(job: Job, end: RunEnd): void
}

export interface Output {
  json: boolean
  /** Shows what becomes of every column of a plan. */
  mapping?: boolean
  stream: { write(text: string): unknown; isTTY?: boolean; columns?: number }
  now(): number
}

const MARKS = { green: '✓', amber: '!', red: '✗' }
const TITLES: Record<Phase, string> = {
  preflight: 'Preflight',
  plan: 'Plan',
  schema: 'Schema',
  transfer: 'Transfer',
  build: 'Build',
  validate: 'Validate',
}
/** Seconds between two lines of progress where nothing can be drawn over. */
const LINE_MS = 5000

export function openPrinter({ json, mapping, stream, now }: Output): Printer {
  const live = !json && stream.isTTY === true
  let bar = false
  let lastLine = 0
  const line = (text: string) => {
    stream.write(`${bar ? '\r\x1b[K' : ''}${text}\n`)
    bar = false
  }
  const draw = (text: string) => {
    stream.write(`\r\x1b[K${text.slice(0, (stream.columns ?? 80) - 1)}`)
    bar = true
  }

  function progress(event: Extract<RunEvent, { type: 'progress' }>): void {
    const text = progressText(event, live)
    if (live) draw(text)
    else if (now() - lastLine >= LINE_MS || event.done === event.total) {
      if (lastLine === 0 || event.done > 0) line(text)
      lastLine = now()
    }
  }

  function show(event: RunEvent): void {
    if (event.type === 'check') for (const text of checkText(event.check)) line(text)
    else if (event.type === 'progress') progress(event)
    else if (event.type === 'phase' && event.state === 'finished') {
      line(`${TITLES[event.phase]}: ${seconds(event.milliseconds ?? 0)}`)
      lastLine = now()
    } else if (event.type === 'plan') {
      for (const text of planText(event.plan, { mapping })) line(text)
    } else if (event.type === 'table' && !event.validation.ok) {
      const { table, sourceRows, targetRows, columns, firstDifference } = event.validation
      const bad = columns.filter((column) => !column.ok).map((column) => column.column)
      line(
        `  ✗ ${table}: ${count(sourceRows)} rows in the source, ${count(targetRows)} in the target; differs in ${bad.join(', ') || 'rows'}`,
      )
      if (firstDifference) line(`    first: ${firstDifference}`)
    } else if (event.type === 'validation') {
      for (const check of event.validation.checks) for (const text of checkText(check)) line(text)
    } else if (event.type === 'log') line(event.message)
    else if (event.type === 'waiting') line(waitingText(event))
    else if (event.type === 'cancelled') line('Cancelled: the target is as it was before the run.')
  }

  return {
    begin: (job) => !json && line(`Run ${job.runId}`),
    event: (event) => (json ? stream.write(`${JSON.stringify(event)}\n`) : show(event)),
    end(job, end) {
      if (json) return
      if (end.state === 'done') for (const text of reportText(end.report)) line(text)
      else if (end.state === 'failed') {
        if (end.failure.code === 'PREFLIGHT_RED') line('The preflight is red: nothing was written.')
        else line(`${end.failure.message}\n${end.failure.remedy}`)
        if (end.failure.resumable) line(againText(job))
      } else if (end.state === 'stopped' && job.mode === 'compare') line('Stopped.')
      else if (end.state === 'stopped') line(`Stopped; what was committed is kept. ${againText(job)}`)
    },
  }
}

function waitingText({ failure, at }: Extract<RunEvent, { type: 'waiting' }>): string {
  const { message, remedy, retryAt = at, attempts } = failure
  return `${message}\n  ${remedy}\n  Next try in ${seconds(retryAt - at)} (after ${attempts} in vain; Ctrl-C stops).`
}

function againText({ runId, target }: Job): string {
  const url = `postgres://${encodeURIComponent(target.user)}@${target.host}:${target.port}/${encodeURIComponent(target.database)}`
  return `To go on:  npm run migrate -- resume ${runId} --target ${url}\nTo undo:   npm run migrate -- cancel ${runId} --target ${url}`
}

function progressText(
  { phase, done, total, tables }: Extract<RunEvent, { type: 'progress' }>,
  live: boolean,
): string {
  const share = total === 0 ? 1 : done / total
  const percent = `${Math.floor(share * 100)}`.padStart(3)
  const drawn = live ? ` ${'█'.repeat(Math.round(share * 24)).padEnd(24, '░')}` : ''
  const rate = tables.reduce((sum, table) => sum + (table.state === 'running' ? table.rowsPerSecond : 0), 0)
  const unit = phase === 'build' ? 'steps' : 'rows'
  const speed = rate > 0 && done < total ? ` · ${count(rate)} rows/s${etaText(tables)}` : ''
  return `${TITLES[phase].padEnd(9)}${drawn} ${percent} % · ${count(done)} of ${count(total)} ${unit}${speed}`
}

/** Tables run side by side: the slowest says when all are done, at best and at worst. */
function etaText(tables: TableProgress[]): string {
  const known = tables.filter((table) => table.state === 'running').flatMap((table) => table.etaSeconds ?? [])
  return known.length === 0 ? '' : ` · about ${Math.max(...known)} s left`
}

function checkText({ state, title, detail, remedy }: Check): string[] {
  return [`  ${MARKS[state]} ${title}: ${detail}`, ...(remedy ? [`    ${remedy}`] : [])]
}

function reportText(report: RunReport): string[] {
  const { validation, rows, bytes, transferMilliseconds, tables, mode, rejected } = report
  const compared = validation.tables.reduce((sum, table) => sum + table.sourceRows, 0)
  const rate = count(Math.round((rows / Math.max(1, transferMilliseconds)) * 1000))
  const equal = validation.ok
    ? `Both sides are equal: ${validation.tables.length} tables, ${count(mode === 'compare' ? compared : rows)} rows.`
    : `Both sides DIFFER in ${
        validation.tables
          .filter((table) => !table.ok)
          .map((table) => table.table)
          .join(', ') || 'their keys'
      }.`
  if (mode === 'compare') return [equal]
  const short = tables.filter((table) => table.rejected > 0)
  return [
    equal,
    ...(rejected > 0
      ? [
          `${count(rejected)} rows were REJECTED: ${short.map((table) => `${count(table.rejected)} of ${table.table}`).join(', ')}.`,
        ]
      : []),
    `${(bytes / 1e6).toFixed(1)} MB moved in ${seconds(transferMilliseconds)}, ${rate} rows/s.`,
  ]
}

const count = (value: number) => value.toLocaleString('en')
const seconds = (milliseconds: number) => `${(milliseconds / 1000).toFixed(1)} s`
