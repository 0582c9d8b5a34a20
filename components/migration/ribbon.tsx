import clsx from 'clsx'
import { formatDuration } from '@/components/ui/format'
import { type StatusKind, StatusMark } from '@/components/ui/status'
import type { Run, RunPhase } from './types'

type Step = 'source' | 'target' | Exclude<NonNullable<RunPhase>, 'switch_back'>

const STEPS: { step: Step; label: string }[] = [
  { step: 'source', label: 'Source' },
  { step: 'target', label: 'Target' },
  { step: 'preflight', label: 'Preflight' },
  { step: 'plan', label: 'Plan' },
  { step: 'schema', label: 'Schema' },
  { step: 'transfer', label: 'Transfer' },
  { step: 'build', label: 'Build' },
  { step: 'validate', label: 'Validate' },
  { step: 'switchover', label: 'Switchover' },
]

const WORDS: Record<StatusKind, string> = {
  ok: 'done',
  busy: 'now',
  warn: 'waiting for you',
  bad: 'failed',
  off: 'to come',
}

/** The way of a migration from source to switchover, and where the run is on it. */
export function Ribbon({ run }: { run: Run | null }) {
  const steps = STEPS.filter(({ step }) => isStepOf(step, run))
  return (
    <ol
      aria-label="Steps of the migration"
      className="flex flex-wrap gap-x-6 gap-y-1 border-y border-border py-2"
    >
      {steps.map(({ step, label }) => {
        const kind = kindOf(step, run)
        const took = run?.report?.phases.find(({ phase }) => phase === step)?.milliseconds
        return (
          <li
            key={step}
            aria-current={kind === 'busy' || kind === 'warn' ? 'step' : undefined}
            className={clsx('flex items-center gap-1.5', kind === 'off' && 'text-muted')}
          >
            <StatusMark kind={kind} />
            <span className={clsx(kind !== 'off' && 'font-medium')}>{label}</span>
            <span className="sr-only">{WORDS[kind]}</span>
            {took === undefined ? null : (
              <span className="text-note text-muted tabular-nums">{formatDuration(took)}</span>
            )}
          </li>
        )
      })}
    </ol>
  )
}

const WRITING: readonly Step[] = ['schema', 'transfer', 'build']

/** Only the own store is switched over, and a run that compares writes nothing. */
function isStepOf(step: Step, run: Run | null): boolean {
  if (!run) return true
  if (step === 'switchover') return run.sourceKind === 'store' && run.purpose === 'migrate'
  return run.purpose === 'migrate' || !WRITING.includes(step)
}

const ORDER = STEPS.map(({ step }) => step)

function kindOf(step: Step, run: Run | null): StatusKind {
  if (!run) return step === 'source' || step === 'target' ? 'busy' : 'off'
  if (step === 'source' || step === 'target') return 'ok'
  if (run.state === 'planned') return plannedKind(step, run)
  if (step === 'switchover') {
    if (run.state === 'switched_over') return 'ok'
    if (run.phase === 'switchover' || run.phase === 'switch_back') return 'busy'
    return run.state === 'completed' ? 'warn' : 'off'
  }
  if (run.state === 'completed' || run.state === 'switched_over') return 'ok'
  if (run.state === 'switched_back') return 'ok'
  const at = ORDER.indexOf(stepOf(run))
  const mine = ORDER.indexOf(step)
  if (mine < at) return 'ok'
  if (mine > at || run.state === 'cancelled') return 'off'
  return run.state === 'failed' ? 'bad' : run.state === 'paused' ? 'warn' : 'busy'
}

const stepOf = ({ phase, progress }: Run): Step =>
  phase === 'switch_back' ? 'switchover' : (phase ?? progress?.phase ?? 'schema')

/** Checks and plan are made side by side; both wait for an admin then. */
function plannedKind(step: Step, { phase, checks, plan, error }: Run): StatusKind {
  if (step === 'preflight') {
    if (checks.some(({ state }) => state === 'red')) return 'bad'
    if (checks.some(({ state, acknowledged }) => state === 'amber' && !acknowledged)) return 'warn'
    return phase === null ? (error ? 'bad' : 'ok') : 'busy'
  }
  if (step === 'plan') return plan ? 'ok' : phase !== null ? 'busy' : 'off'
  return 'off'
}
