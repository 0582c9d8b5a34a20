/** What the doctor says about one thing. */
export interface Line {
  /** What was looked at, in a word or two. */
  title: string
  state: 'ok' | 'warning' | 'problem'
  /** What is so, in one sentence. */
  detail: string
  /** What to do about it. */
  remedy?: string
}

/** A look at one thing: what breaks it is its finding, never the end of the examination. */
export async function looked(title: string, look: () => Promise<Line[]> | Line[]): Promise<Line[]> {
  try {
    return await look()
  } catch (error) {
    const { message, remedy } = error as { message: string; remedy?: string }
    return [{ title, state: 'problem', detail: message, ...(remedy ? { remedy } : {}) }]
  }
}
