'use client'

import { Button } from '@/components/ui/button'
import { Callout } from '@/components/ui/callout'
import { formatCount, formatDuration, formatNumber } from '@/components/ui/format'
import { plainLink } from '@/components/ui/plain-link'
import { Time } from '@/components/ui/time'
import type { RouterOutputs } from '@/server/routers/_app'

type Verified = NonNullable<RouterOutputs['security']['audit']['state']['verified']>
type Result = NonNullable<Verified['result']>
type Found = Result['found'][number]
type Kind = Found['kind']

const kindWords: Record<Kind, { word: string; means: string; rowIsThere: boolean }> = {
  modified: { word: 'Modified', means: 'what it says is not what was written', rowIsThere: true },
  missing: { word: 'Missing', means: 'it was deleted', rowIsThere: false },
  inserted: { word: 'Inserted', means: 'it was never written by a console', rowIsThere: true },
  reordered: { word: 'Reordered', means: 'it stands in another place than it was written', rowIsThere: true },
  forked: { word: 'Forked', means: 'two events follow the same one', rowIsThere: true },
  truncated: { word: 'Truncated', means: 'the end of the log was cut off', rowIsThere: false },
  'rolled back': {
    word: 'Rolled back',
    means: 'an older state of the log was put in its place',
    rowIsThere: false,
  },
  'unknown key': { word: 'Unknown key', means: 'no key of this console made it', rowIsThere: true },
  'checkpoint unreadable': {
    word: 'Checkpoint unreadable',
    means: 'a signed checkpoint cannot be read or does not fit',
    rowIsThere: false,
  },
}

/** What a verification came to; what was found leads to the events it is about. */
export function Verdict({
  verified: { result, by, endedAt },
  onOpen,
}: {
  verified: Verified & { result: Result }
  onOpen: (seq: number) => void
}) {
  const { sound, rows, first, last, checkpoints, unprotected, prunedTo, restoredAt, took } = result
  const read = (
    <>
      {formatCount(rows, 'event')} read
      {first !== null && last !== null ? `, #${formatNumber(first)} to #${formatNumber(last)}` : ''}, in{' '}
      {formatDuration(took)}; {formatNumber(checkpoints.agreed)} of{' '}
      {formatCount(checkpoints.signed, 'checkpoint')} agree. Asked for by {by}, ended{' '}
      <Time at={endedAt} withZone />.
    </>
  )
  if (sound)
    return (
      <div className="mt-2">
        <Callout tone="ok" title="Nothing was found: chain, signatures and checkpoints fit">
          <p>{read}</p>
          <p>
            {unprotected.events === 0
              ? 'A checkpoint outside of the store vouches for every event.'
              : `The last ${formatCount(unprotected.events, 'event')} came after the last checkpoint: a cut there would not show yet.`}
            {prunedTo === null
              ? ''
              : ` Events up to #${formatNumber(prunedTo)} were deleted by the retention.`}
            {restoredAt.length > 0
              ? ` Restored from a backup at ${restoredAt.map((seq) => `#${formatNumber(seq)}`).join(', ')}.`
              : ''}
          </p>
        </Callout>
      </div>
    )
  return (
    <div className="mt-2">
      <Callout tone="bad" title="The log was tampered with">
        <ul aria-label="What was found" className="my-2 flex flex-col gap-1 text-text">
          {result.found.map((found) => (
            <li key={`${found.kind}-${found.seq}-${found.to}`}>
              <FoundLine found={found} onOpen={onOpen} />
            </li>
          ))}
        </ul>
        {result.unlisted > 0 ? <p>And {formatCount(result.unlisted, 'further place')}.</p> : null}
        <p>{read}</p>
        <p>
          Keep the store and the checkpoint files as they are, and compare the log with your last backup or
          export.
        </p>
      </Callout>
    </div>
  )
}

function FoundLine({
  found: { kind, seq, to, note },
  onOpen,
}: {
  found: Found
  onOpen: (seq: number) => void
}) {
  const { word, means, rowIsThere } = kindWords[kind]
  const which =
    to > seq ? `Events #${formatNumber(seq)} to #${formatNumber(to)}` : `Event #${formatNumber(seq)}`
  return (
    <>
      <strong className="font-medium">{word}</strong>:{' '}
      {rowIsThere ? (
        <button type="button" className={`${plainLink} min-h-6`} onClick={() => onOpen(seq)}>
          {which}
        </button>
      ) : (
        which
      )}
      , {means}
      {note ? ` (${note})` : ''}.
      {rowIsThere || seq <= 1 ? null : (
        <>
          {' '}
          <Button variant="plain" size="small" onClick={() => onOpen(seq - 1)}>
            Event before
          </Button>
        </>
      )}
    </>
  )
}
