import { errorFacts } from './error-facts'

/** An error inside a form or dialog: message, remedy, then code and request id in small. */
export function ErrorText({ error }: { error: unknown }) {
  const { message, remedy, code, requestId } = errorFacts(error)
  return (
    <>
      <span className="font-medium">{message}</span>
      {remedy ? <span className="text-text"> {remedy}</span> : null}
      {code || requestId ? (
        <span className="mt-0.5 block font-mono text-note text-muted wrap-anywhere">
          {[code, requestId && `request ${requestId}`].filter(Boolean).join(' · ')}
        </span>
      ) : null}
    </>
  )
}
