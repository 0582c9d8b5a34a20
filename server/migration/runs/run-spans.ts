import type { OpenSpan, Trace } from '@/server/trace'
import type { Phase, RunEvent } from '../types'

/** The trace of one task of a run: its phases, and below them the batches that its worker committed. */
export interface RunSpans {
  hear(event: RunEvent): void
  end(): void
}

export function openRunSpans(
  trace: Pick<Trace, 'begin'> | undefined,
  { run, task }: { run: string; task: string },
): RunSpans {
  // A run outlives the request that began it: it is a trace of its own.
  const whole = trace?.begin({ name: `migration ${task}`, attributes: { 'holdfast.run': run } }, {})
  if (!trace || !whole) return { hear() {}, end() {} }
  const phases = new Map<Phase, OpenSpan>()

  function follow({ phase, state }: Extract<RunEvent, { type: 'phase' }>): void {
    phases.get(phase)?.end()
    phases.delete(phase)
    if (state !== 'started') return
    const span = whole?.within(() => trace?.begin({ name: `migration phase ${phase}` }))
    if (span) phases.set(phase, span)
  }

  return {
    hear(event) {
      if (event.type === 'phase') follow(event)
      else if (event.type === 'failed') whole.set({ 'error.type': event.failure.code })
      else if (event.type === 'batch') {
        const { at, table, rows, bytes, milliseconds } = event
        const attributes = { 'holdfast.table': table, 'holdfast.rows': rows, 'holdfast.bytes': bytes }
        const facts = { name: 'migration batch', startedAt: at - milliseconds, attributes }
        const above = phases.get('transfer') ?? whole
        above.within(() => trace.begin(facts))?.end()
      }
    },
    end() {
      for (const span of phases.values()) span.end()
      whole.end()
    },
  }
}
