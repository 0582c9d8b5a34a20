'use client'

import { type ChangeEvent, useId, useState } from 'react'
import type { Choices, Run } from '@/components/migration/types'
import { Button } from '@/components/ui/button'
import { buttonClass } from '@/components/ui/button-class'
import { Callout } from '@/components/ui/callout'
import { errorFacts } from '@/components/ui/error-facts'
import { DownloadLink } from './report'
import type { Draft } from './use-choices'

/** Applies what was chosen, saves it as a file, loads it from one. */
export function ChoicesBar({ run, draft }: { run: Run; draft: Draft }) {
  const [problem, setProblem] = useState<string>()
  const guarded = async (act: () => Promise<void>) => {
    setProblem(undefined)
    try {
      await act()
    } catch (error) {
      const { message, remedy } = errorFacts(error)
      setProblem([message, remedy].filter(Boolean).join(' '))
    }
  }
  return (
    <div className="mb-3">
      <Callout
        tone={draft.dirty ? 'warn' : 'off'}
        title={
          draft.dirty ? 'What you chose is not in the plan yet' : 'Open a table to choose types and names'
        }
        actions={
          <>
            {draft.dirty ? (
              <>
                <Button variant="primary" disabled={run.phase !== null} onClick={() => guarded(draft.apply)}>
                  Plan by it
                </Button>
                <Button onClick={draft.discard}>Discard</Button>
              </>
            ) : null}
            <DownloadLink run={run} file="choices.json" label="Save choices" />
            <LoadButton onLoad={(choices) => draft.change(choices)} onProblem={setProblem} />
          </>
        }
      >
        {draft.dirty
          ? 'Plan by it before you start; checks are kept.'
          : 'A saved file of choices also works with npm run migrate -- run --choices FILE.'}
        {problem ? (
          <p role="alert" className="text-bad">
            {problem}
          </p>
        ) : null}
      </Callout>
    </div>
  )
}

function LoadButton({
  onLoad,
  onProblem,
}: {
  onLoad: (choices: Choices) => void
  onProblem: (text: string | undefined) => void
}) {
  const id = useId()
  const load = async ({ target }: ChangeEvent<HTMLInputElement>) => {
    const file = target.files?.[0]
    target.value = ''
    if (!file) return
    try {
      const choices = JSON.parse(await file.text()) as Choices
      if (choices.version !== 1) throw new Error('version')
      onProblem(undefined)
      onLoad(choices)
    } catch {
      onProblem(`${file.name} is no file of choices: save one here first, and edit it.`)
    }
  }
  return (
    <>
      <input id={id} type="file" accept="application/json,.json" className="peer sr-only" onChange={load} />
      <label
        htmlFor={id}
        className={`${buttonClass()} cursor-pointer peer-focus-visible:outline-2 peer-focus-visible:outline-accent peer-focus-visible:outline-offset-2`}
      >
        Load choices
      </label>
    </>
  )
}
