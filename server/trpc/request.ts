/**
 * What the handlers of procedures read of a request: a Request of fetch is one, and what the server's entry makes of
 * Node's is a cheaper one.
 */
export interface ApiRequest {
  /** Absolute. */
  url: string
  method: string
  headers: Headers
  body: AsyncIterable<Uint8Array> | null
  /** Aborts when the client is gone. */
  signal: AbortSignal
}
