import Database from 'better-sqlite3'

// An application that goes on writing to a source: node writer.mjs FILE SEED. It ends when its input does, or when its writes are refused.
const [file, seed] = process.argv.slice(2)
const db = new Database(file, { timeout: 10_000 })
db.pragma('foreign_keys = ON')
let state = Number(seed)
const random = (below) => {
  state = (Math.imul(state, 1103515245) + 12345) & 0x7fffffff
  return (state >>> 8) % below
}
let written = 0
const statements = [
  () =>
    db
      .prepare('INSERT INTO people (name, email) VALUES (?, ?)')
      .run(`n${random(1e6)}`, `e${process.pid}-${written}`),
  () => db.prepare('UPDATE people SET name = ? WHERE id = ?').run(`changed ${random(1e6)}`, random(4000)),
  () => db.prepare('DELETE FROM people WHERE id = ?').run(random(4000)),
  // Another row with this email goes without a delete trigger being fired.
  () =>
    db
      .prepare('INSERT OR REPLACE INTO people (name, email) VALUES (?, ?)')
      .run('replaced', `mail ${random(3000)}`),
  () =>
    db
      .prepare('UPDATE OR REPLACE people SET email = ? WHERE id = ?')
      .run(`mail ${random(3000)}`, random(4000)),
  () => db.prepare('UPDATE OR IGNORE people SET id = id + 100000 WHERE id = ?').run(random(4000)),
  () =>
    db
      .prepare('INSERT OR IGNORE INTO notes (person, body) SELECT id, ? FROM people WHERE id = ?')
      .run(`tab\t\\ line\n${random(99)}`, random(4000)),
  () =>
    db.prepare('INSERT OR REPLACE INTO settings VALUES (?, ?)').run(`key ${random(500)}`, `v${random(1e6)}`),
  () =>
    db
      .prepare('UPDATE OR IGNORE settings SET name = ? WHERE name = ?')
      .run(`key ${random(500)}`, `key ${random(500)}`),
  () => db.prepare('DELETE FROM settings WHERE name = ?').run(`key ${random(500)}`),
  () => db.prepare('INSERT INTO log VALUES (?, ?)').run(`line ${random(100)}`, random(10)),
  () => db.prepare('DELETE FROM log WHERE rowid IN (SELECT rowid FROM log LIMIT 1)').run(),
  () => {
    // Two rows swap a unique value.
    const [a, b] = db
      .prepare('SELECT id, email FROM people WHERE id >= ? ORDER BY id LIMIT 2')
      .all(random(4000))
    if (!a || !b) return
    const set = db.prepare('UPDATE people SET email = ? WHERE id = ?')
    db.transaction(() => {
      set.run('between', a.id)
      set.run(a.email, b.id)
      set.run(b.email, a.id)
    })()
  },
]
let going = true
process.stdin.on('end', () => {
  going = false
})
process.stdin.resume()
process.stdout.write('writing\n')
while (going) {
  for (let i = 0; i < 5; i++) {
    try {
      statements[random(statements.length)]()
      written++
    } catch (error) {
      if (!error.message.includes('has moved to PostgreSQL')) throw error
      going = false
      break
    }
  }
  await new Promise((resolve) => setTimeout(resolve, 5))
}
db.close()
process.stdout.write(`${written}\n`)
