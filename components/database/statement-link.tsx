import clsx from 'clsx'
import { plainLink } from '@/components/ui/plain-link'
import { Link } from '../ui/link'

/** Leads to a statement's page; its text is cut to two lines. */
export function StatementLink({ fingerprint, text }: { fingerprint: string; text: string }) {
  return (
    <Link
      href={`/database/queries?statement=${fingerprint}`}
      className={clsx('line-clamp-2 min-h-6 py-1 font-mono text-note [overflow-wrap:anywhere]', plainLink)}
    >
      {text}
    </Link>
  )
}
