'use client'

import { Ribbon } from '@/components/migration/ribbon'
import type { Run } from '@/components/migration/types'
import { useCan } from '@/components/migration/use-can'
import { placeOf, wordsOf } from '@/components/migration/words'
import { buttonClass } from '@/components/ui/button-class'
import { Empty } from '@/components/ui/empty'
import { errorFacts } from '@/components/ui/error-facts'
import { ErrorTile, TileBoundary } from '@/components/ui/error-tile'
import { Link } from '@/components/ui/link'
import { Skeleton } from '@/components/ui/skeleton'
import { Status } from '@/components/ui/status'
import { Mono, PageHeader } from '@/components/ui/text'
import { RunActions } from './actions'
import { ChecksSection } from './checks'
import { CutOverSection } from './cut-over'
import { LogSection } from './log'
import { PlanSection } from './plan'
import { ProgressSection } from './progress'
import { RejectsSection } from './rejects'
import { ReportSection } from './report'
import { SwitchoverSection } from './switchover'
import { Trouble } from './trouble'
import { useChoices } from './use-choices'
import { useRun } from './use-run'
import { ValidationSection } from './validation'

/** One run, from its checks to the switchover. The address is all that is needed to find it again. */
export function RunView({ id }: { id: string }) {
  const run = useRun(id)
  if (!run.data) {
    if (!run.error) return <Skeleton className="h-96 w-full" label="Reading the run" />
    return errorFacts(run.error).code === 'NOT_FOUND' ? (
      <Gone />
    ) : (
      <ErrorTile error={run.error} what="The run" onRetry={() => run.refetch()} />
    )
  }
  return <RunParts run={run.data} refresh={run.refresh} />
}

function RunParts({ run: data, refresh }: { run: Run; refresh: () => unknown }) {
  const can = useCan()
  const draft = useChoices(data, can.manage, refresh)
  const started = data.startedAt !== null
  return (
    <>
      <PageHeader
        title={
          data.purpose === 'compare'
            ? `${data.sourceName} compared with PostgreSQL`
            : `${data.sourceName} to PostgreSQL`
        }
        lead={<Lead run={data} />}
        actions={<RunActions run={data} can={can} onChanged={refresh} undecided={draft?.dirty === true} />}
      />
      <Ribbon run={data} />
      <Trouble run={data} />
      {started ? (
        <TileBoundary what="Progress">
          <ProgressSection run={data} />
        </TileBoundary>
      ) : (
        <TileBoundary what="Preflight">
          <ChecksSection run={data} can={can} onChanged={refresh} />
        </TileBoundary>
      )}
      {rejectedOf(data) > 0 ? (
        <TileBoundary what="Rejected rows">
          <RejectsSection run={data} can={can} onChanged={refresh} />
        </TileBoundary>
      ) : null}
      {data.validation ? (
        <TileBoundary what="Validation">
          <ValidationSection run={data} validation={data.validation} can={can} onChanged={refresh} />
        </TileBoundary>
      ) : null}
      {started && data.sourceKind === 'folder' && data.purpose === 'migrate' && data.state !== 'cancelled' ? (
        <TileBoundary what="Cut-over">
          <CutOverSection run={data} can={can} onChanged={refresh} />
        </TileBoundary>
      ) : null}
      {started && data.sourceKind === 'store' && data.state !== 'cancelled' ? (
        <TileBoundary what="Switchover">
          <SwitchoverSection run={data} can={can} onChanged={refresh} />
        </TileBoundary>
      ) : null}
      {data.report ? <ReportSection run={data} /> : null}
      {data.plan ? (
        <TileBoundary what="Plan">
          <PlanSection run={data} plan={data.plan} draft={draft} />
        </TileBoundary>
      ) : null}
      {data.plan && !data.report ? <ReportSection run={data} /> : null}
      <TileBoundary what="Log">
        <LogSection id={data.id} moving={data.state === 'running' || data.phase !== null} />
      </TileBoundary>
    </>
  )
}

const rejectedOf = ({ progress, report }: Run) =>
  report?.rejected ?? progress?.tables.reduce((sum, table) => sum + table.rejected, 0) ?? 0

function Lead({ run }: { run: Run }) {
  const { kind, word } = wordsOf({ state: run.state, rejected: rejectedOf(run) })
  return (
    <span className="flex flex-wrap items-baseline gap-x-3">
      <Status kind={kind}>{word}</Status>
      <Mono>{placeOf(run.target)}</Mono>
      <span>
        schema <Mono>{run.target.schema}</Mono>
      </span>
    </span>
  )
}

function Gone() {
  return (
    <>
      <PageHeader title="Migration run" />
      <Empty
        kind="no-match"
        title="There is no such run"
        action={
          <Link href="/migration" className={buttonClass()}>
            All runs
          </Link>
        }
      >
        It was deleted, or the address is not complete.
      </Empty>
    </>
  )
}
