import { errorFacts, errorReference } from './error-facts'

/** An error inside a form or dialog: message, remedy, then code and request id in small. */
export function ErrorText({ error }: { error: unknown }) {
  const facts = errorFacts(error)
  const { message, remedy } = facts
  const reference = errorReference(facts)
  return (
    <>
      <span className="font-medium">{message}</span>
      {remedy ? <span className="text-text"> {remedy}</span> : null}
      {reference ? (
        <span className="mt-0.5 block font-mono text-note text-muted wrap-anywhere">{reference}</span>
      ) : null}
    </>
  )
}
