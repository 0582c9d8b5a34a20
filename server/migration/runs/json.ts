/**
 * The same value without the characters that PostgreSQL's jsonb has no room for: samples and reasons quote the source,
 * which may hold NUL and half surrogate pairs (https://www.postgresql.org/docs/current/datatype-json.html).
 */
export function storableJson<T>(value: T): T {
  const text = JSON.stringify(value)
  if (text === undefined || !/\\u0000|\\ud[89a-f]/.test(text)) return value
  return JSON.parse(text, (_, one) =>
    typeof one === 'string' ? one.replaceAll('\0', '␀').toWellFormed() : one,
  ) as T
}
