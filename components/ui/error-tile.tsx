'use client'

import { Component, type ReactNode, useId } from 'react'
import { Button } from './button'
import { CopyButton } from './copy-button'
import { errorFacts, errorReference } from './error-facts'
import { StatusMark } from './status'

export type ErrorTileProps = {
  error: unknown
  /** What could not be shown: `Pools`. */
  what?: string
  onRetry?: () => unknown
}

/** An error in the place of what failed: what happened, what to do, code and request id to copy, another try. */
export function ErrorTile({ error, what, onRetry }: ErrorTileProps) {
  const id = useId()
  const facts = errorFacts(error)
  const { message, remedy } = facts
  const reference = errorReference(facts)
  return (
    <div
      role="alert"
      className="border-y border-r border-l-2 border-border border-l-bad bg-surface px-4 py-3"
    >
      <div className="flex gap-2">
        <StatusMark kind="bad" className="mt-[5px]" />
        <div className="min-w-0 flex-1">
          <p className="font-medium">
            {what ? `${what}: ` : ''}
            {message}
          </p>
          {remedy ? <p className="text-muted">{remedy}</p> : null}
          <div className="mt-2 flex flex-wrap items-center gap-x-3 gap-y-1">
            {onRetry ? (
              <Button size="small" onClick={onRetry}>
                Try again
              </Button>
            ) : null}
            {reference ? (
              <span className="flex min-w-0 items-center gap-1 font-mono text-note text-muted">
                <span id={id} className="wrap-anywhere">
                  {reference}
                </span>
                <CopyButton text={reference} textId={id} label="Copy code and request id" />
              </span>
            ) : null}
          </div>
        </div>
      </div>
    </div>
  )
}

type BoundaryProps = { what?: string; children: ReactNode; onRetry?: () => void }

/** Keeps a tile's failure inside the tile. Retry renders the children anew, after `onRetry` (reset the query there). */
export class TileBoundary extends Component<BoundaryProps, { failure: { error: unknown } | null }> {
  override state: { failure: { error: unknown } | null } = { failure: null }

  static getDerivedStateFromError(error: unknown) {
    return { failure: { error } }
  }

  override render() {
    if (!this.state.failure) return this.props.children
    return (
      <ErrorTile
        error={this.state.failure.error}
        what={this.props.what}
        onRetry={() => {
          this.props.onRetry?.()
          this.setState({ failure: null })
        }}
      />
    )
  }
}
