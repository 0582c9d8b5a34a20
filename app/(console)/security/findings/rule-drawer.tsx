'use client'

import { useQueryClient } from '@tanstack/react-query'
import { type FormEvent, useState } from 'react'
import { useStepUp } from '@/components/auth/step-up'
import { useMayManage } from '@/components/security/use-may-manage'
import { useTRPC, useTRPCClient } from '@/components/trpc/trpc'
import { Button } from '@/components/ui/button'
import { Callout } from '@/components/ui/callout'
import { Drawer } from '@/components/ui/drawer'
import { Empty } from '@/components/ui/empty'
import { ErrorText } from '@/components/ui/error-text'
import { Checkbox, Field, Input, Select } from '@/components/ui/field'
import { formatCount } from '@/components/ui/format'
import { useSingleFlight } from '@/components/ui/single-flight'
import { Time } from '@/components/ui/time'
import { useToast } from '@/components/ui/toast'
import type { RouterOutputs } from '@/server/routers/_app'
import { type Rule, responseWords } from './words'

type Trial = RouterOutputs['security']['rules']['try']

/** One rule: what it looks for, its parameters, and what it would have found with them. */
export function RuleDrawer({
  id,
  rule,
  onClose,
}: {
  id: string | null
  rule: Rule | undefined
  onClose: () => void
}) {
  return (
    <Drawer open={id !== null} onClose={onClose} title={rule?.title ?? 'Rule'}>
      {rule ? (
        <>
          <p className="mb-4 text-muted">{rule.explanation}</p>
          {rule.unavailable ? (
            <Callout tone="off" title="This rule is unavailable">
              {rule.unavailable}
            </Callout>
          ) : null}
          <RuleForm key={rule.id} rule={rule} />
        </>
      ) : (
        <Empty kind="no-match" title="There is no such rule" />
      )}
    </Drawer>
  )
}

function RuleForm({ rule }: { rule: Rule }) {
  const trpc = useTRPC()
  const queries = useQueryClient()
  const { security } = useTRPCClient()
  const manage = useMayManage()
  const toast = useToast()
  const { ask, dialog } = useStepUp()
  const [enabled, setEnabled] = useState(rule.enabled)
  const [dryRun, setDryRun] = useState(rule.dryRun)
  const [response, setResponse] = useState(rule.response)
  const [typed, setTyped] = useState<Record<string, string>>(
    Object.fromEntries(rule.parameters.map(({ name }) => [name, String(rule.params[name])])),
  )
  const [trial, setTrial] = useState<{ trial: Trial } | { error: unknown }>()
  const params = Object.fromEntries(Object.entries(typed).map(([name, text]) => [name, Number(text)]))
  const [tryIt, trying] = useSingleFlight(async () => {
    try {
      setTrial({ trial: await security.rules.try.mutate({ rule: rule.id, params }) })
    } catch (error) {
      setTrial({ error })
    }
  })
  const submit = (event: FormEvent) => {
    event.preventDefault()
    const input = { rule: rule.id, enabled, dryRun, response, params }
    ask({
      action: 'security.rules.set',
      input,
      label: 'Save the rule',
      title: rule.title,
      effect: !enabled
        ? 'The rule finds nothing any more.'
        : dryRun
          ? 'The rule finds, and does nothing more.'
          : `From now on it does this: ${responseWords[response].toLowerCase()}.`,
      run: async (grantId) => {
        await security.rules.set.mutate(input, { context: { stepUp: grantId } })
        toast({ text: `The rule ${rule.title} is saved.`, tone: 'ok' })
        await queries.invalidateQueries(trpc.security.rules.pathFilter())
      },
    })
  }
  return (
    <>
      <form method="post" onSubmit={submit} className="mt-4 flex flex-col gap-3">
        <fieldset disabled={!manage} className="flex flex-col gap-3">
          <legend className="sr-only">Settings of the rule</legend>
          <Checkbox label="On" checked={enabled} onChange={({ target }) => setEnabled(target.checked)} />
          <Checkbox
            label="Dry run"
            hint="It finds, and neither alerts nor acts."
            checked={dryRun}
            onChange={({ target }) => setDryRun(target.checked)}
          />
          <Field label="What it does">
            <Select
              value={response}
              onChange={({ target }) =>
                setResponse(rule.responses.find((each) => each === target.value) ?? response)
              }
            >
              {rule.responses.map((each) => (
                <option key={each} value={each}>
                  {responseWords[each]}
                </option>
              ))}
            </Select>
          </Field>
          {rule.parameters.map(({ name, label, unit, least, most, value }) => (
            <Field
              key={name}
              label={label}
              aside={unit}
              hint={`From ${least} to ${most}; ${value} unless changed.`}
            >
              <Input
                type="number"
                inputMode="numeric"
                min={least}
                max={most}
                step={1}
                value={typed[name] ?? ''}
                onChange={({ target }) => setTyped({ ...typed, [name]: target.value })}
              />
            </Field>
          ))}
        </fieldset>
        <div className="flex flex-wrap gap-2">
          <Button onClick={() => void tryIt()} busy={trying} disabled={rule.unavailable !== null}>
            Try on the last 7 days
          </Button>
          {manage ? (
            <Button type="submit" variant="primary">
              Save
            </Button>
          ) : null}
        </div>
        {manage ? null : <p className="text-muted">Only an admin can change rules.</p>}
      </form>
      <div role="status" className="mt-4">
        {trial && 'trial' in trial ? <TrialResult trial={trial.trial} /> : null}
        {trial && 'error' in trial ? <ErrorText error={trial.error} /> : null}
      </div>
      {dialog}
    </>
  )
}

function TrialResult({ trial: { findings, latest, events, complete } }: { trial: Trial }) {
  return (
    <>
      <p>
        {findings === 0
          ? 'It would have found nothing'
          : `It would have found ${formatCount(findings, 'finding')}`}{' '}
        in {formatCount(events, 'event')}
        {complete ? '' : ', the first of the last 7 days; there are more than a trial reads'}.
      </p>
      <ul className="mt-2 border-t border-border">
        {latest.map(({ subject, summary, lastAt }) => (
          <li key={`${subject} ${lastAt}`} className="border-b border-border py-1.5">
            <span className="wrap-anywhere">{summary}</span>
            <span className="block text-muted">
              <Time at={lastAt} />
            </span>
          </li>
        ))}
      </ul>
    </>
  )
}
