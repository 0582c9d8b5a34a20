import { type Run, stateWords } from '../runs/run'
import { placeOf } from '../store/store-choice'
import type { Check, Plan, PlannedColumn, TableValidation, Validation } from '../types'
import { factsOf, html, type Markup, tableOf } from './markup'
import { style } from './style'
import { throughputPart } from './throughput'

/** All that is known of a run as one HTML page that needs nothing else: to keep, to send and to print. */
export function reportPage(run: Run, madeAt: number): string {
  const title = `Migration of ${run.sourceName} to ${placeOf(run.target)}`
  return `<!doctype html>\n${
    html`<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<meta name="robots" content="noindex"><title>${title}</title><style>${style}</style></head><body>
<h1>${title}</h1>
<p class="verdict">${verdictOf(run)}</p>
${factsOf(factsAbout(run))}
${figures(run)}
${throughputPart(run.progress?.speeds)}
${run.validation && validationPart(run.validation)}
${checksPart('Preflight', run.checks)}
${run.plan && planPart(run.plan)}
<footer>Run ${run.id}. Made by Holdfast on ${time(madeAt)}.</footer>
</body></html>`.text
  }\n`
}

function verdictOf({ state, validation, report, error }: Run): string {
  const rejected = report?.rejected ?? 0
  if (validation && !validation.ok) return 'The sides differ.'
  if (validation && rejected > 0) return `The sides agree but for ${count(rejected)} rejected rows.`
  if (validation) return 'Both sides are the same.'
  return error ? `${error.message} ${error.remedy}` : `The run is ${stateWords[state]}.`
}

function factsAbout({ state, target, createdAt, startedAt, endedAt, source, plan }: Run) {
  return [
    ['State', stateWords[state]],
    ['Source', source],
    ['Source size', plan && `${mega(plan.source.sizeBytes)} MB, SQLite ${plan.source.sqliteVersion}`],
    ['Target', `${placeOf(target)}, schema ${target.schema}, role ${target.user}`],
    ['Planned', time(createdAt)],
    ['Started', startedAt === null ? 'not yet' : time(startedAt)],
    ['Ended', endedAt === null ? 'not yet' : time(endedAt)],
  ] as const
}

function figures({ report, progress }: Run): Markup | null {
  if (!report) return null
  const { rows, bytes, transferMilliseconds, phases, switchover } = report
  const perSecond =
    transferMilliseconds > 0 ? count(Math.round((rows / transferMilliseconds) * 1000)) : 'unknown'
  const compared = new Map(progress?.tables.map((table) => [table.table, table.compared]))
  return html`<h2>Figures</h2>
${factsOf([
  ['Rows', count(rows)],
  ['Rejected', count(report.rejected)],
  ['Data sent', `${mega(bytes)} MB`],
  ['Transfer', `${seconds(transferMilliseconds)}, ${perSecond} rows/s`],
  ...phases.map(({ phase, milliseconds }) => [`Phase ${phase}`, seconds(milliseconds)] as const),
  ...(switchover
    ? ([
        ['Switched over', time(switchover.at)],
        ['Writes waited', `${switchover.pauseMilliseconds} ms`],
        ['Brought over since the copy', `${count(switchover.rowsBroughtOver)} rows`],
      ] as const)
    : []),
])}
${tableOf(
  'Tables',
  [
    { header: 'Table', cell: ({ table }) => html`<code>${table}</code>` },
    { header: 'Rows', numeric: true, cell: ({ rowsTotal }) => count(rowsTotal) },
    { header: 'Written', numeric: true, cell: ({ written }) => count(written) },
    { header: 'Rejected', numeric: true, cell: ({ rejected }) => count(rejected) },
    { header: 'Compared', numeric: true, cell: ({ table }) => count(compared.get(table) ?? 0) },
    { header: 'MB', numeric: true, cell: (table) => mega(table.bytes) },
  ],
  report.tables,
)}`
}

function validationPart({ tables, checks }: Validation): Markup {
  return html`<h2>Validation</h2>
${tableOf(
  'Both sides, table by table',
  [
    { header: 'Table', cell: ({ table }) => html`<code>${table}</code>` },
    { header: 'Result', cell: ({ ok }) => (ok ? 'same' : html`<strong>different</strong>`) },
    { header: 'Rows, SQLite', numeric: true, cell: ({ sourceRows }) => count(sourceRows) },
    { header: 'Rows, PostgreSQL', numeric: true, cell: ({ targetRows }) => count(targetRows) },
    { header: 'First difference', cell: differenceOf },
  ],
  tables,
)}
${checksPart('Keys, foreign keys, sequences', checks)}`
}

function differenceOf({ firstDifference, columns }: TableValidation): Markup | string {
  const bad = columns.filter(({ ok }) => !ok)
  if (!firstDifference && bad.length === 0) return 'none'
  const lines = bad.map(
    ({ column, source, target }) => html`<br><code>${column}: ${source} | ${target}</code>`,
  )
  return html`${firstDifference}${lines}`
}

function checksPart(caption: string, checks: readonly (Check & { acknowledged?: { by: string } })[]) {
  return tableOf(
    caption,
    [
      { header: 'Check', cell: ({ title }) => title },
      { header: 'State', cell: ({ state }) => state },
      {
        header: 'Found',
        cell: ({ detail, remedy, acknowledged }) =>
          html`${detail}${remedy && html`<br><span class="m">${remedy}</span>`}${
            acknowledged && html`<br><span class="m">Acknowledged by ${acknowledged.by}</span>`
          }`,
      },
    ],
    checks,
  )
}

function planPart({ tables, notCarried, views = [], triggers = [] }: Plan): Markup {
  return html`${tableOf(
    'Views and triggers that are carried over',
    [
      { header: 'Name', cell: ({ name }) => html`<code>${name}</code>` },
      { header: 'SQLite', cell: ({ sql }) => html`<pre>${sql}</pre>` },
      { header: 'PostgreSQL', cell: ({ targetSql }) => html`<pre>${targetSql}</pre>` },
    ],
    [...views, ...triggers],
  )}${tableOf(
    'Not carried over',
    [
      { header: 'Kind', cell: ({ kind }) => kind },
      { header: 'Name', cell: ({ name }) => html`<code>${name}</code>` },
      { header: 'Why', cell: ({ reason, sql }) => html`${reason}${sql && html`<pre>${sql}</pre>`}` },
    ],
    notCarried,
  )}
<h2>Mapping</h2>
${tables.map(({ source, target, rows, columns, notes }) => [
  tableOf<PlannedColumn>(
    `${source === target ? source : `${source} → ${target}`}, ${count(rows)} rows`,
    [
      {
        header: 'Column',
        cell: (column) =>
          html`<code>${column.source === column.target ? column.source : `${column.source} → ${column.target}`}</code>`,
      },
      { header: 'SQLite', cell: ({ declaredType }) => html`<code>${declaredType || 'none'}</code>` },
      {
        header: 'PostgreSQL',
        cell: ({ type, nullable }) => html`<code>${type}${!nullable && ' NOT NULL'}</code>`,
      },
      { header: 'Note', cell: ({ note }) => note },
    ],
    columns,
  ),
  ...notes.map((note) => html`<p class="m">${note}</p>`),
])}`
}

const count = (value: number) => value.toLocaleString('en')
const mega = (bytes: number) => (bytes / 1e6).toFixed(1)
const seconds = (milliseconds: number) => `${(milliseconds / 1000).toFixed(1)} s`
const time = (at: number) => `${new Date(at).toISOString().slice(0, 19).replace('T', ' ')} UTC`
