export const help = `Usage: npm run migrate -- COMMAND [options]

  run                moves every table of a SQLite file into PostgreSQL, builds keys, indexes and foreign keys, and
                     compares both sides; the command that is meant where none is named
  plan               checks both sides and shows what would become of each column; writes nothing into the target
  resume RUN         goes on with a run that stopped
  validate           compares every row of both sides, whatever filled the target, and writes nothing
  cancel RUN         undoes a run that isn't finished: the target is afterwards as it was
  status [RUN]       what the target knows of its unfinished runs, or of one
  switch-back        moves the console's own store back to the SQLite file that it left, with every later change

  --source FILE      the SQLite database; it is only read (run, plan, validate)
  --target URL       postgres://USER@HOST:PORT/DATABASE, PostgreSQL 13 or newer; ?sslmode=require encrypts, verify-full
                     also checks the certificate, by the authority of sslrootcert=FILE, PGSSLROOTCERT or DB_SSL_CA where
                     one is given. Without it: DB_HOST, DB_PORT, DB_NAME, DB_USER
  --schema NAME      schema that receives the tables (public); it is created if it isn't there
  --exclude TABLE    leaves a table out; may be given again
  --choices FILE     what is wanted other than proposed: types, names, NULLs, exclusions, as JSON (run, plan)
  --save-choices FILE  writes such a file with everything as proposed, to be edited (plan)
  --rejects FILE     receives the rows that can't be stored, one JSON object a line; it is written when there are any
                     (migration-RUN-rejects.ndjson)
  --workers N        threads that read and load (the cores, at most 4)
  --no-wait          stops at whatever comes in between, even if it may pass (run, resume)
  --json             JSON instead of text: one event a line (run, resume, validate, cancel), or one document (plan, status)
  --help             this text

With DB_TYPE=postgresql and no option but --json, run moves the console's own store from the SQLite file in
HOLDFAST_DATA_DIR to the PostgreSQL of the DB_ variables and switches over to it, while the console is not running.
The same command goes on after an interruption. A console that runs is moved, and
moved back, on its page Migration.

The password is read from PGPASSWORD or DB_PASSWORD in the environment; a URL that holds one is refused.
A server that is away, full, busy or read-only is waited for, with the reason and the time of the next try. Ctrl-C
stops at a committed batch and prints how to resume or cancel.

Exit status: 0 done; after run, resume and validate, both sides are equal · 1 failed · 2 wrong arguments
             3 the preflight is red · 4 both sides differ · 5 equal but for rejected rows · 130 stopped or cancelled
`
