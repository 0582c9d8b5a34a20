import { bearer } from './program'

/** An open event stream, read as text. */
export interface TestStream {
  /** Resolves to all that came so far once it matches. */
  next(pattern: RegExp): Promise<string>
  /** Resolves to all that came when the console ends it. */
  end(): Promise<string>
  close(): Promise<void>
}

/** Opens the console's event stream as a program does, from after the id it had last. */
export async function openStream(url: string, token: string, lastEventId?: string): Promise<TestStream> {
  const response = await fetch(`${url}/api/trpc/system.live?input=%7B%7D`, {
    headers: {
      ...{ ...bearer(token), accept: 'text/event-stream' },
      ...(lastEventId === undefined ? {} : { 'last-event-id': lastEventId }),
    },
  })
  if (!response.body || response.status !== 200) throw new Error(`The stream answered ${response.status}.`)
  const reader = response.body.pipeThrough(new TextDecoderStream() as never).getReader()
  let text = ''
  const read = async () => {
    const { done, value } = await reader.read()
    if (!done) text += value
    return done
  }
  return {
    async next(pattern) {
      while (!pattern.test(text)) if (await read()) throw new Error(`The stream ended: ${text}`)
      return text
    },
    async end() {
      while (!(await read().catch(() => true)));
      return text
    },
    close: () => reader.cancel(),
  }
}
