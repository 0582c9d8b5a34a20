import { asc, desc } from 'drizzle-orm'
import { expect, it } from 'vitest'
import { begins, holds } from './holds'
import { describeStores } from './testing/stores'
import { q, unit } from './unit'

const names = ['Anna', 'Diana', 'a_b', 'axb', '100%', '1000', 'back\\slash']

const makeUsers = unit('test.makeUsers', function* (tx, all: readonly string[]) {
  for (const [at, name] of all.entries()) {
    const account = {
      id: `${at}`,
      email: `${at}@example.org`,
      name,
      role: 'viewer',
      state: 'active',
    } as const
    yield* q(tx.db.insert(tx.tables.users).values({ ...account, createdAt: 0, updatedAt: 0 }))
  }
})

describeStores((open) => {
  it('finds a text anywhere, those that begin with it first, and takes no letter of it for a pattern', async () => {
    const store = await open()
    await store.run(makeUsers, names)
    const { users } = store.tables
    const found = async (text: string) => {
      const rows = await store.db
        .select({ name: users.name })
        .from(users)
        .where(holds(users.name, text))
        .orderBy(desc(begins(users.name, text)), asc(users.id))
      return rows.map(({ name }) => name)
    }
    expect(await found('AN')).toEqual(['Anna', 'Diana'])
    expect(await found('iana')).toEqual(['Diana'])
    expect(await found('a_')).toEqual(['a_b'])
    expect(await found('0%')).toEqual(['100%'])
    expect(await found('k\\s')).toEqual(['back\\slash'])
  })
})
