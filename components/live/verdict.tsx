'use client'

import { Fragment } from 'react'
import { StatusMark } from '@/components/ui/status'
import { PageHeader } from '@/components/ui/text'
import type { RouterOutputs } from '@/server/routers/_app'
import { Link } from '../ui/link'

type Health = RouterOutputs['system']['health']

/** The console's state in one sentence; each problem is a link to where it is seen. */
export function Verdict({ health, error }: { health: Health | undefined; error?: unknown }) {
  const problems = health?.components.filter(({ state }) => state !== 'ok') ?? []
  return (
    <PageHeader
      title="Overview"
      lead={
        <p className="flex items-baseline gap-2 text-lead text-text" data-verdict={health?.state}>
          <StatusMark kind={health?.state ?? (error ? 'bad' : 'busy')} />
          <span>
            {!health ? (
              error ? (
                'The state of the console could not be read.'
              ) : (
                'Looking…'
              )
            ) : problems.length === 0 ? (
              'Everything works.'
            ) : (
              <Problems problems={problems} />
            )}
          </span>
        </p>
      }
    />
  )
}

function Problems({ problems }: { problems: Health['components'] }) {
  return (
    <>
      {problems.length === 1 ? 'One thing needs attention: ' : `${problems.length} things need attention: `}
      {problems.map(({ id, href, detail }, at) => (
        <Fragment key={id}>
          {at === 0 ? '' : '; '}
          <Link
            href={href}
            className="underline decoration-border underline-offset-4 hover:decoration-current"
          >
            {clause(detail)}
          </Link>
        </Fragment>
      ))}
      .
    </>
  )
}

/** A sentence made a part of a longer one; names such as Redis and SQLite keep their capital. */
function clause(detail: string): string {
  const text = detail.replace(/\.$/, '')
  return /^(The|All|Statements) /.test(text) ? `${text[0]?.toLowerCase()}${text.slice(1)}` : text
}
