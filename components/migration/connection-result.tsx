import { Status, type StatusKind } from '@/components/ui/status'
import type { ConnectionSteps } from './types'

const STATES: Record<ConnectionSteps['steps'][number]['state'], { kind: StatusKind; word: string }> = {
  ok: { kind: 'ok', word: 'Good' },
  warning: { kind: 'warn', word: 'Attention' },
  failed: { kind: 'bad', word: 'Failed' },
  skipped: { kind: 'off', word: 'Skipped' },
}

/** What a connection test found: the verdict, and every step that is not simply good. */
export function ConnectionResult({ test }: { test: ConnectionSteps }) {
  const notable = test.steps.filter(({ state }) => state === 'warning' || state === 'failed')
  const version = test.steps.find(({ id }) => id === 'version')?.detail
  return (
    <div role="status">
      <p className="flex flex-wrap items-baseline gap-x-3">
        <Status kind={test.ok ? 'ok' : 'bad'}>{test.ok ? 'It works' : 'It does not work'}</Status>
        <span className="text-muted">{version}</span>
      </p>
      {notable.length > 0 ? (
        <ul className="mt-2 border-t border-border">
          {notable.map(({ id, title, state, detail, remedy }) => (
            <li key={id} className="border-b border-border py-2">
              <span className="flex flex-wrap items-baseline gap-x-3">
                <Status kind={STATES[state].kind}>{title}</Status>
                <span>{detail}</span>
              </span>
              {remedy ? <span className="block text-muted">{remedy}</span> : null}
            </li>
          ))}
        </ul>
      ) : null}
    </div>
  )
}
