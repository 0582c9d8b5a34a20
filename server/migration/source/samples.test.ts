import Database from 'better-sqlite3'
import { expect, it } from 'vitest'
import { sampleColumns } from './samples'

it('shows values from both ends and the middle of a table, and forms that most of its texts have', () => {
  const db = new Database(':memory:')
  db.exec(`CREATE TABLE t (id INTEGER PRIMARY KEY, word TEXT, doc TEXT, sparse TEXT, long TEXT, b BLOB);
    WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2000)
    INSERT INTO t SELECT i, CASE i % 3 WHEN 0 THEN 'yes' ELSE 'No' END, json_array(i), CASE WHEN i = 1050 THEN '2024-01-02' END, printf('%090d', i), x'00ff' FROM n;
    INSERT INTO t (id) VALUES (-9223372036854775808);`)
  const scan = { table: 't', columns: ['id'], descending: false }
  const names = ['word', 'doc', 'sparse', 'long', 'b']
  const [word, doc, sparse, long, b] = sampleColumns(
    db,
    scan,
    names.map((name) => ({ name, declaredType: 'TEXT' })),
  )
  expect(word).toMatchObject({ samples: ['No', 'yes'], forms: ['flag'] })
  expect(doc?.forms).toEqual(['json'])
  expect(doc?.samples).toHaveLength(5)
  expect(sparse?.samples).toEqual([])
  expect(long?.samples.every((text) => text.length === 60 && text.endsWith('…'))).toBe(true)
  expect(b?.samples).toEqual([`x'00ff'`])
  db.exec('DELETE FROM t WHERE id < 0')
  const [found] = sampleColumns(db, scan, [{ name: 'sparse', declaredType: 'TEXT' }])
  expect(found).toMatchObject({ samples: ['2024-01-02'], forms: ['date'] })
  db.close()
})
