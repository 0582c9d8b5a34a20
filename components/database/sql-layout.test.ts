import { describe, expect, test } from 'vitest'
import { layOut } from './sql-layout'

describe('the layout of SQL', () => {
  test('gives each clause a line and indents conditions', () => {
    expect(
      layOut(
        'select o.id, count(*) from orders o left join lines l on l.order_id = o.id where o.state = $1 and o.made_at > $2 group by o.id order by o.id limit $3',
      ),
    ).toBe(
      `select o.id, count(*)
from orders o
left join lines l on l.order_id = o.id
where o.state = $1
  and o.made_at > $2
group by o.id
order by o.id
limit $3`,
    )
  })
  test('sets subqueries further in, and leaves calls on their line', () => {
    expect(
      layOut(
        'select extract(epoch from now()) from a where id in (select id from b where x = $1 or y = $2) and z = coalesce($3, $4)',
      ),
    ).toBe(
      `select extract(epoch from now())
from a
where id in (
    select id
    from b
    where x = $1
      or y = $2
  )
  and z = coalesce($3, $4)`,
    )
  })
  test('breaks no BETWEEN, no CASE and no IS DISTINCT FROM', () => {
    expect(
      layOut(
        'select case when a and b then $1 else $2 end from t where c between $3 and $4 and d is distinct from $5',
      ),
    ).toBe(
      `select case when a and b then $1 else $2 end
from t
where c between $3 and $4
  and d is distinct from $5`,
    )
  })
  test('lays writes out', () => {
    expect(
      layOut('insert into t (a, b) values ($1, $2) on conflict (a) do update set b = excluded.b returning a'),
    ).toBe(
      `insert into t (a, b)
values ($1, $2)
on conflict (a) do update
set b = excluded.b
returning a`,
    )
    expect(layOut('delete from t where a = $1')).toBe('delete from t\nwhere a = $1')
    expect(layOut('update t set a = $1 where b = $2')).toBe('update t\nset a = $1\nwhere b = $2')
  })
  test('touches nothing in quotes, whatever stands there', () => {
    const quoted = `select ' from  where ', "order by", $tag$ and  or $tag$`
    expect(layOut(quoted)).toBe(quoted)
  })
  test('leaves a statement with a comment to the end of its line alone', () => {
    expect(layOut(' select 1 -- from here\n from t ')).toBe('select 1 -- from here\n from t')
  })
  test('keeps the letter case', () => {
    expect(layOut('SELECT A FROM B WHERE C = $1')).toBe('SELECT A\nFROM B\nWHERE C = $1')
  })
  test('bears brackets that do not match', () => {
    expect(layOut('select ) from t')).toBe('select)\nfrom t')
    expect(layOut('')).toBe('')
  })
})
