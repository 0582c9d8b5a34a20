/**
 * The seed of the order in which test files run, the same in every process of a run: HOLDFAST_TEST_SEED, or one drawn
 * here and left there for the processes that follow.
 */
export function testSeed(): number {
  process.env.HOLDFAST_TEST_SEED ??= String(Math.floor(Math.random() * 2 ** 31))
  return Number(process.env.HOLDFAST_TEST_SEED)
}
