import { Callout } from '@/components/ui/callout'
import { formatDuration } from '@/components/ui/format'
import { Status, type StatusKind } from '@/components/ui/status'
import { Section } from '@/components/ui/text'
import type { RouterOutputs } from '@/server/routers/_app'

type Test = RouterOutputs['database']['test']
type Step = Test['steps'][number]

const STATES: Record<Step['state'], { kind: StatusKind; word: string }> = {
  ok: { kind: 'ok', word: 'Good' },
  warning: { kind: 'warn', word: 'Attention' },
  failed: { kind: 'bad', word: 'Failed' },
  skipped: { kind: 'off', word: 'Not tried' },
}

/** The verdict with what to do first, then every step in the order in which it was tried. */
export function TestSteps({ test, place }: { test: Test; place: string }) {
  const failed = test.steps.find(({ state }) => state === 'failed')
  const warnings = test.steps.filter(({ state }) => state === 'warning').length
  return (
    <Section title="Result" note={place}>
      <div role="status">
        {failed ? (
          <Callout tone="bad" title={`${failed.title}: ${failed.detail}`}>
            {failed.remedy}
          </Callout>
        ) : (
          <Callout
            tone={warnings > 0 ? 'warn' : 'ok'}
            title={
              warnings > 0
                ? 'Holdfast can work with this server, with less'
                : 'Holdfast can work with this server'
            }
          >
            {warnings > 0 ? 'See below what wants attention.' : 'Every step went well.'}
          </Callout>
        )}
      </div>
      <ol aria-label="Steps of the connection test" className="mt-4 border-t border-border">
        {test.steps.map((step) => (
          <StepRow key={step.id} step={step} />
        ))}
      </ol>
    </Section>
  )
}

function StepRow({ step: { title, state, detail, remedy, milliseconds } }: { step: Step }) {
  const { kind, word } = STATES[state]
  return (
    <li className="grid grid-cols-[1fr_auto] gap-x-4 border-b border-border py-2 sm:grid-cols-[8rem_7rem_1fr_4rem]">
      <span className="font-medium">{title}</span>
      <span>
        <Status kind={kind}>{word}</Status>
      </span>
      <span className="col-span-2 min-w-0 sm:col-span-1">
        {state === 'skipped' ? (
          <span className="text-muted">An earlier step failed.</span>
        ) : (
          <span className="wrap-anywhere">{detail}</span>
        )}
        {remedy ? (
          <span className="mt-1 block border-l-2 border-control pl-2 wrap-anywhere">
            <span className="text-muted">What to do: </span>
            {remedy}
          </span>
        ) : null}
      </span>
      <span className="text-right text-muted tabular-nums max-sm:hidden">
        {milliseconds === undefined ? '' : formatDuration(milliseconds)}
      </span>
    </li>
  )
}
