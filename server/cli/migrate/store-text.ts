import type { Run, RunTick } from '@/server/migration'

const marks = { green: '✓', amber: '!', red: '✗' }
/** Lines of progress come no more often. */
const lineMs = 1_000

/** Shows how the own store moves: lines, or JSON with one object a line. */
export function openStorePrinter({ json }: { json: boolean }) {
  const write = (text: string) => process.stdout.write(`${text}\n`)
  let lastLine = 0
  let lastPhase: string | null = null
  let checked = false
  let retryAt = 0
  return {
    say: (message: string) => write(json ? JSON.stringify({ type: 'message', message }) : message),
    /** The first that tells what was checked is shown. */
    run({ id, checks, phase, state, error }: Run): void {
      if (!json && error?.retryAt !== undefined && error.retryAt !== retryAt) {
        retryAt = error.retryAt
        write(`${error.message} Tried again at ${new Date(retryAt).toISOString()}.`)
      }
      if (json || checked || phase !== null || checks.length === 0) return
      checked = true
      if (state !== 'planned') return
      write(`Run ${id}`)
      for (const check of checks) {
        write(`  ${marks[check.state]} ${check.title}: ${check.detail}`)
        if (check.remedy) write(`    ${check.remedy}`)
      }
    },
    tick({ state, phase, progress }: RunTick): void {
      if (json) return void write(JSON.stringify({ type: 'progress', state, phase, progress }))
      const now = Date.now()
      if (state !== 'running' || !phase || !progress || (phase === lastPhase && now - lastLine < lineMs))
        return
      lastPhase = phase
      lastLine = now
      const share = progress.total > 0 ? Math.floor((progress.done / progress.total) * 100) : 0
      write(
        `${phase.padEnd(9)} ${`${share}`.padStart(3)} % · ${count(progress.done)} of ${count(progress.total)}`,
      )
    },
    end(run: Run): void {
      if (json)
        return void write(JSON.stringify({ type: run.state === 'switched_over' ? 'done' : 'failed', run }))
      for (const line of endText(run)) write(line)
    },
  }
}

function endText({ state, report, checks, error, validation, target }: Run): string[] {
  const place = `${target.host}:${target.port}/${target.database}`
  if (state === 'switched_over' && report) {
    return [
      `Both sides are equal: ${report.tables.length} tables, ${count(report.rows)} rows.`,
      `The store is now at ${place}: the console starts there. ${report.switchover?.retiredFile} is kept, read-only.`,
    ]
  }
  if (checks.some((check) => check.state === 'red')) return ['The preflight is red: nothing was written.']
  if (validation && !validation.ok) return ['Both sides DIFFER: nothing was switched over.']
  return [error?.message ?? `The run is ${state}.`, error?.remedy ?? 'Run the same command again.']
}

const count = (value: number) => value.toLocaleString('en')
