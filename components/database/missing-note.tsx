import { useId } from 'react'
import { Callout } from '@/components/ui/callout'
import { CopyButton } from '@/components/ui/copy-button'
import type { Missing } from './types'

const TITLES: Record<Missing['kind'], string> = {
  'not-enabled': 'Not enabled',
  'no-permission': 'Not permitted',
  'not-here': 'Not on this database',
}

/** Why a part of the page shows less than it could, with what mends it, to be copied. */
export function MissingNote({ missing, title }: { missing: Missing; title?: string }) {
  const id = useId()
  return (
    <div className="mb-4">
      <Callout tone={missing.kind === 'no-permission' ? 'warn' : 'off'} title={title ?? TITLES[missing.kind]}>
        <p>{missing.message}</p>
        {missing.remedy ? (
          <p className="mt-1 flex items-start gap-1">
            <code
              id={id}
              className="min-w-0 py-1.5 font-mono text-note whitespace-pre-wrap text-text wrap-anywhere"
            >
              {missing.remedy}
            </code>
            <CopyButton text={missing.remedy} textId={id} label="Copy the remedy" />
          </p>
        ) : null}
      </Callout>
    </div>
  )
}
