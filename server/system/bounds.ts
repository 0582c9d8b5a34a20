/** From where on health and the doctor warn of the machine: both say the same of it. */

const MB = 2 ** 20

/** Free bytes below which the store may soon take no more writes. */
export const LITTLE_ROOM = 1024 * MB
/** Free bytes below which it is about to take none. */
export const NEXT_TO_NO_ROOM = 100 * MB

/** Milliseconds between two clocks from which on codes of authenticator apps begin to fail. */
export const MOST_DRIFT_MS = 5_000

/** Bytes of a disk in megabytes, or in gigabytes from ten on. */
export const roomInWords = (bytes: number) =>
  bytes < 10 * 1024 * MB ? `${Math.round(bytes / MB)} MB` : `${Math.round(bytes / 1024 / MB)} GB`
