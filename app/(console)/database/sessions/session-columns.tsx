import { Figure } from '@/components/ui/figure'
import { formatCount, formatDuration, type Reading } from '@/components/ui/format'
import { Status } from '@/components/ui/status'
import type { Column } from '@/components/ui/table'
import type { TreeRow } from './tree'
import { ageOf, SessionState, waitWords } from './words'

/** Margins by depth: a table that is read on a phone has no room for more. */
const INDENTS = ['', 'ml-4', 'ml-8', 'ml-12', 'ml-16', 'ml-20']

const age = (value: Reading) => (value === null ? '—' : formatDuration(value))

/** `at` is when the sessions were read: ages are of that moment. */
export function sessionColumns(at: number): Column<TreeRow>[] {
  return [
    {
      key: 'pid',
      header: 'Session',
      rowHeader: true,
      cell: ({ session, depth }) => (
        <span
          className={`inline-flex items-center gap-1 whitespace-nowrap ${INDENTS[depth] ?? INDENTS.at(-1)}`}
        >
          {depth > 0 ? (
            <svg viewBox="0 0 10 10" className="size-2.5 text-muted" aria-hidden="true">
              <path d="M2 0v6h7" fill="none" stroke="currentColor" />
            </svg>
          ) : null}
          <span className="tabular-nums">{session.pid}</span>
        </span>
      ),
    },
    {
      key: 'state',
      header: 'State',
      className: 'whitespace-nowrap',
      cell: ({ session: { state } }) => <SessionState state={state} />,
    },
    {
      key: 'waits',
      header: 'Waits for',
      className: 'whitespace-nowrap',
      cell: ({ session, holdsUp, inCycle }) => (
        <span className="flex flex-wrap gap-x-3">
          {session.blockedBy.length > 0 ? (
            <Status kind="bad">{waitWords(session)}</Status>
          ) : (
            <span className="text-muted">{waitWords(session)}</span>
          )}
          {inCycle ? <Status kind="bad">Deadlock</Status> : null}
          {holdsUp > 0 ? <Status kind="warn">{`Holds up ${formatCount(holdsUp, 'session')}`}</Status> : null}
        </span>
      ),
    },
    {
      key: 'transaction',
      header: 'Transaction',
      numeric: true,
      cell: ({ session }) => <Figure value={ageOf(session.transactionStartedAt, at)} format={age} />,
    },
    {
      key: 'statement',
      header: 'Statement for',
      numeric: true,
      cell: ({ session }) => (
        <Figure
          value={session.state === 'active' ? ageOf(session.statementStartedAt, at) : null}
          format={age}
        />
      ),
    },
    {
      key: 'who',
      header: 'Who',
      className: 'whitespace-nowrap',
      cell: ({ session: { user, application, ours } }) => (
        <>
          {user ?? <span className="text-muted">unknown</span>}
          {ours ? <span className="text-muted"> · this console</span> : null}
          {!ours && application !== '' ? <span className="text-muted"> · {application}</span> : null}
        </>
      ),
    },
    {
      key: 'text',
      header: 'Statement',
      truncate: true,
      className: 'w-1/3 min-w-60',
      cell: ({ session: { statement, startedAt } }) =>
        statement === null ? (
          <span className="text-muted">{startedAt === null ? 'not to be seen' : 'none yet'}</span>
        ) : (
          <span className="font-mono text-note">{statement}</span>
        ),
    },
  ]
}
