import { openSqliteStore } from '@/server/security/testing/chaos-stores'
import { openIssuer } from '@/server/security/testing/issuer'

const many = 2_000
const session = (number: number) => ({
  userId: `user-${number}`,
  sessionId: `session-${number}`,
  generation: 1,
})

/** CPU time of one verification, in µs over all threads of this process: of a token never seen, and of one seen. */
export async function measureVerification(): Promise<{ verify: number; seen: number; count: number }> {
  const { store, close } = await openSqliteStore()
  const { tokens } = openIssuer(store)
  const sign = async () => {
    const signed: string[] = []
    for (let number = 0; number < many; number++) signed.push((await tokens.sign(session(number))).token)
    return signed
  }
  const cpuOf = async (given: string[]) => {
    const before = process.cpuUsage()
    for (const token of given) {
      if (!(await tokens.verify(token))) throw new Error('A good token was refused.')
    }
    const { user, system } = process.cpuUsage(before)
    return (user + system) / given.length
  }
  try {
    const [warm, measured] = [await sign(), await sign()]
    await cpuOf(warm)
    await cpuOf(warm)
    const verify = await cpuOf(measured)
    const seen = await cpuOf(Array.from({ length: 5 }, () => measured).flat())
    return { verify, seen, count: many }
  } finally {
    await close()
  }
}
