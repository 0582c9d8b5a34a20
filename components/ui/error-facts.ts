/** What a person is told of an error: what happened, its code, the request, and what to do. */
export type ErrorFacts = {
  message: string
  code?: string
  requestId?: string
  traceId?: string
  remedy?: string
}

const UNKNOWN = 'Something went wrong on the server.'

/**
 * Reads the facts off whatever was thrown: a tRPC client error (its `data` carries code, requestId, remedy), a
 * problem document (RFC 9457) or a plain error. An error of no known code keeps its message to itself.
 */
export function errorFacts(error: unknown): ErrorFacts {
  if (!isRecord(error)) return { message: UNKNOWN }
  const data = isRecord(error.data) ? error.data : isRecord(error.problem) ? error.problem : error
  const code = text(data.errorCode) ?? text(data.code)
  const requestId = text(data.requestId) ?? text(error.digest)
  const network =
    error instanceof TypeError || /fetch failed|Failed to fetch|NetworkError/i.test(String(error.message))
  if (network && !code) {
    return {
      message: 'The console cannot be reached.',
      code: 'UNREACHABLE',
      remedy: 'Check the connection, then try again.',
    }
  }
  return {
    message: code ? (text(data.detail) ?? text(error.message) ?? UNKNOWN) : UNKNOWN,
    code,
    requestId,
    traceId: text(data.traceId),
    remedy: text(data.remedy),
  }
}

/** What somebody who looks into it needs: code, request and trace. */
export function errorReference({ code, requestId, traceId }: ErrorFacts): string {
  return [code, requestId && `request ${requestId}`, traceId && `trace ${traceId}`]
    .filter(Boolean)
    .join(' · ')
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined
}
