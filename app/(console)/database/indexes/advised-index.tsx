'use client'

import { type ReactNode, useId } from 'react'
import { factorOf, formatCost } from '@/components/database/cost'
import { StatementText } from '@/components/database/statement-text'
import type { OfferedIndex, Statement } from '@/components/database/types'
import { Button } from '@/components/ui/button'
import { formatBytes, formatDuration } from '@/components/ui/format'
import { Status } from '@/components/ui/status'
import { Mono } from '@/components/ui/text'
import { ServedStatements } from './served-statements'
import { confidenceWords, inWords, methodWords, tableOf, writeCost } from './words'

/** One index: what it is, why, what it costs and saves, and the statements that it is for. */
export function AdvisedIndex({
  of,
  figures,
  manage,
  onMake,
}: {
  of: OfferedIndex
  figures: ReadonlyMap<string, Statement>
  manage: boolean
  onMake: (index: OfferedIndex) => void
}) {
  const id = useId()
  const { index, name, ddl, sizeBytes, verdicts, after, savesMilliseconds, writes, confidence } = of
  const [first] = verdicts
  const evidence = first?.evidence
  const { kind, word } = confidenceWords[confidence]
  const words = inWords(index)
  return (
    <li id={`advice-${of.key}`} className="scroll-mt-14 border-b border-border py-4 target:bg-wash">
      <article aria-labelledby={id}>
        <div className="flex flex-wrap items-start justify-between gap-x-6 gap-y-2">
          <div className="min-w-0 flex-1 basis-64">
            <h3 id={id} className="font-medium">
              <Mono>
                {tableOf(index)} ({index.keys.map((each) => each.name).join(', ')})
              </Mono>
            </h3>
            {words ? <p>{words}</p> : null}
            {first ? <p className="max-w-prose text-muted">{first.because}</p> : null}
          </div>
          {manage && after.length === 0 ? (
            <Button variant="primary" aria-describedby={id} onClick={() => onMake(of)}>
              Make this index
            </Button>
          ) : null}
        </div>
        {after.length > 0 ? (
          <p className="mt-2 max-w-prose">
            <Status kind="warn">Make {after.join(' and ')} first</Status>{' '}
            <span className="text-muted">
              This one alone would slow a statement that the other is for: the database would take this index
              for it and read far more than it needs.
            </span>
          </p>
        ) : null}
        <dl className="mt-3 grid grid-cols-1 gap-x-6 gap-y-2 sm:grid-cols-2 lg:grid-cols-4">
          <Fact name="Cost of the first statement">
            {evidence ? (
              <>
                <span className="text-lead">
                  {formatCost(evidence.costBefore)} → {formatCost(evidence.costAfter)}
                </span>
                <Note>
                  {factorOf(evidence.costBefore, evidence.costAfter)} less, by{' '}
                  {methodWords[evidence.method].name}
                </Note>
              </>
            ) : (
              <span className="text-muted">not costed</span>
            )}
          </Fact>
          <Fact name="Saves">
            {savesMilliseconds === null ? (
              <span className="text-muted">not measured</span>
            ) : (
              <>
                <span className="text-lead">{formatDuration(savesMilliseconds)}</span>
                <Note>of the time counted so far, if costs are right</Note>
              </>
            )}
          </Fact>
          <Fact name="Size">
            <span className="text-lead">{formatBytes(sizeBytes)}</span>
            <Note>estimated</Note>
          </Fact>
          <Fact name="Confidence">
            <Status kind={kind}>{word}</Status>
          </Fact>
        </dl>
        <p className="mt-2 text-note text-muted">Writes pay for it: {writeCost(writes)}</p>
        <div className="mt-3">
          <StatementText sql={ddl} label={`Copy the DDL of ${name}`} />
        </div>
        <ServedStatements name={name} verdicts={verdicts} figures={figures} />
      </article>
    </li>
  )
}

function Fact({ name, children }: { name: string; children: ReactNode }) {
  return (
    <div className="min-w-0 border-l border-border pl-3 tabular-nums">
      <dt className="text-note text-muted">{name}</dt>
      <dd>{children}</dd>
    </div>
  )
}

const Note = ({ children }: { children: ReactNode }) => (
  <span className="block text-note text-muted">{children}</span>
)
