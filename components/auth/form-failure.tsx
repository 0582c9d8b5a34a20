import { errorFacts } from '@/components/ui/error-facts'
import { ErrorText } from '@/components/ui/error-text'
import { formatDuration } from '@/components/ui/format'

/**
 * What went wrong with a form, announced once; always there, so that it is. A wait counts down beside it, where
 * no screen reader repeats it every second.
 */
export function FormFailure({ failure, left = 0 }: { failure?: { error: unknown }; left?: number }) {
  const facts = failure && errorFacts(failure.error)
  return (
    <div className="border-l-2 border-bad pl-3 text-bad has-[>[role=alert]:empty]:hidden">
      <div role="alert">
        {facts ? <ErrorText error={left > 0 ? { ...facts, remedy: undefined } : facts} /> : null}
      </div>
      {left > 0 ? <p className="text-text">Try again in {formatDuration(left)}.</p> : null}
    </div>
  )
}
