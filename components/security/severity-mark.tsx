import clsx from 'clsx'
import { type Severity, severityWords } from './severity-words'

const INK: Record<Severity, string> = {
  info: 'text-muted',
  low: 'text-text',
  medium: 'text-warn',
  high: 'text-bad',
  critical: 'text-bad',
}

/** How grave an event is, by shape, word and colour: a ring, a disc, a triangle, a square, a square that is crossed. */
export function SeverityMark({ severity }: { severity: Severity }) {
  return (
    <span
      className={clsx(
        'inline-flex items-center gap-1.5 whitespace-nowrap',
        INK[severity],
        severity !== 'info' && severity !== 'low' && 'font-medium',
      )}
    >
      <svg viewBox="0 0 10 10" className="size-2.5 shrink-0" aria-hidden="true">
        {severity === 'info' ? (
          <circle cx="5" cy="5" r="3.75" fill="none" stroke="currentColor" strokeWidth="1.5" />
        ) : null}
        {severity === 'low' ? <circle cx="5" cy="5" r="4.25" fill="currentColor" /> : null}
        {severity === 'medium' ? <path d="M5 .75 9.75 9.25H.25z" fill="currentColor" /> : null}
        {severity === 'high' ? <path d="M1 1h8v8H1z" fill="currentColor" /> : null}
        {severity === 'critical' ? (
          <>
            <path d="M0 0h10v10H0z" fill="currentColor" />
            <path d="m2.5 2.5 5 5m0-5-5 5" className="stroke-bg" strokeWidth="1.5" fill="none" />
          </>
        ) : null}
      </svg>
      {severityWords[severity]}
    </span>
  )
}
