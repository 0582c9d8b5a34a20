'use client'

import clsx from 'clsx'
import { useId, useState } from 'react'
import { Button } from '@/components/ui/button'
import { buttonClass } from '@/components/ui/button-class'
import { CopyButton } from '@/components/ui/copy-button'
import { Link } from '@/components/ui/link'
import { plainLink } from '@/components/ui/plain-link'
import { Status } from '@/components/ui/status'
import { CodeBlock } from '@/components/ui/text'
import type { RouterOutputs } from '@/server/routers/_app'

type Line = RouterOutputs['system']['hardening']['lines'][number]
type TextStep = Extract<Line['step'], { kind: 'text' }>

/** One line: its state, what it protects from, and the way to it while it is open. */
export function HardeningItem({ line }: { line: Line }) {
  const { title, done, detail, protects, href, step } = line
  const [unfolded, setUnfolded] = useState(false)
  const id = useId()
  return (
    <li className="border-b border-border py-3" data-hardening={line.id}>
      <div className="grid items-start gap-x-6 gap-y-1 sm:grid-cols-[10rem_minmax(0,1fr)_auto]">
        <div className="flex items-baseline justify-between gap-3 sm:flex-col sm:gap-0.5">
          <h2 className="font-medium">
            <Link href={href} className={plainLink}>
              {title}
            </Link>
          </h2>
          <Status kind={done ? 'ok' : 'off'}>{done ? 'Done' : 'Open'}</Status>
        </div>
        <p className="min-w-0 max-w-prose wrap-anywhere">
          {detail}
          <span className="block text-muted">
            {done ? '' : 'Once done: '}
            {protects}
          </span>
        </p>
        {step?.kind === 'page' ? (
          <Link href={step.href} className={clsx(buttonClass(), 'justify-self-start')}>
            {step.label}
          </Link>
        ) : step ? (
          <Button
            className="justify-self-start"
            aria-expanded={unfolded}
            aria-controls={id}
            onClick={() => setUnfolded(!unfolded)}
          >
            {step.label}
          </Button>
        ) : null}
      </div>
      {step?.kind === 'text' ? (
        <div id={id} hidden={!unfolded} className="mt-3">
          <Words of={step} title={title} />
        </div>
      ) : null}
    </li>
  )
}

/** What to set or to run, ready to be copied. */
function Words({ of: { text, note, label }, title }: { of: TextStep; title: string }) {
  return (
    <>
      <CodeBlock label={`${label} for ${title}`}>{text}</CodeBlock>
      <div className="mt-1 flex flex-wrap items-center gap-x-3">
        <CopyButton text={text} label="Copy" showLabel />
        <p className="min-w-0 flex-1 basis-64 text-muted">{note}</p>
      </div>
    </>
  )
}
