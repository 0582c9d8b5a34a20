import type { RunAtTarget, Target } from '@/server/migration'

/** The unfinished runs of a target, for reading. */
export function statusText(runs: RunAtTarget[], { host, port, database }: Target): string {
  if (runs.length === 0)
    return `No run is unfinished at ${host}:${port}/${database}. A finished one keeps nothing there but its tables.\n`
  return runs.map(runText).join('\n')
}

function runText({
  runId,
  state,
  active,
  source,
  schema,
  startedAt,
  tables,
  rows,
  written,
}: RunAtTarget): string {
  const now = state === 'done' ? 'finished' : active ? 'at work' : 'stopped: resume or cancel it'
  return [
    `Run ${runId}: ${now}`,
    `  ${source} to schema ${schema}, begun ${new Date(startedAt).toISOString()}`,
    `  ${count(written)} of ${count(rows)} rows written`,
    ...tables.map(
      (table) =>
        `  ${table.done ? '✓' : ' '} ${table.table}: ${count(table.written)} of ${count(table.rows)}`,
    ),
    '',
  ].join('\n')
}

const count = (value: number) => value.toLocaleString('en')
