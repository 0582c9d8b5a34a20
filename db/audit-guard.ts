import type BetterSqlite3 from 'better-sqlite3'

/*
 * What refuses changes to the audit log inside the database itself. On PostgreSQL only the owner of the tables can take
 * it away; on SQLite whoever may write to the file can, so there it stops mistakes, and the chain tells of the rest.
 */

type Ask = (sql: string, params?: unknown[]) => Promise<{ rows: unknown[] }>

/** Key in `meta` of the last event that was dropped by retention (server/audit/edge.ts). */
export const EDGE = 'audit edge'

/** How the names of the guard's triggers begin. */
export const GUARD = 'holdfast_guard_audit'
const PRUNE = 'holdfast_prune_audit'
/** The function that drops a prefix of the log on PostgreSQL, with the types of what it takes. */
export const pruneFunction = `public.${PRUNE}(bigint, bigint, text, integer)`

/** A day, in milliseconds: no retention may be shorter, whoever asks. */
const YOUNGEST = 86_400_000

const REFUSED = 'audit_events takes new events alone'

/** Bodies of functions; their search_path is pinned, so that nobody's own objects are found instead. */
const bodies = {
  [GUARD]: `
BEGIN
  IF TG_OP = 'DELETE' THEN
    IF OLD.seq <= coalesce(nullif(current_setting('holdfast.pruned_to', true), '')::bigint, 0) THEN
      RETURN OLD;
    END IF;
  END IF;
  RAISE EXCEPTION USING ERRCODE = '42501', MESSAGE = '${REFUSED}: ' || TG_OP || ' is refused.';
END `,
  [PRUNE]: `
DECLARE
  dropped integer;
  edge_time bigint;
BEGIN
  IF most NOT BETWEEN 1 AND 100000 THEN
    RAISE EXCEPTION USING ERRCODE = '22023', MESSAGE = 'A batch drops 1 to 100000 events.';
  END IF;
  IF checkpoint_seq < upto
     OR NOT EXISTS (SELECT FROM public.audit_events WHERE seq = checkpoint_seq AND hash = checkpoint_hash) THEN
    RAISE EXCEPTION USING ERRCODE = '42501', MESSAGE = 'No checkpoint at or after this event fits the log.';
  END IF;
  SELECT time INTO edge_time FROM public.audit_events WHERE seq = upto;
  IF edge_time IS NULL OR upto >= (SELECT seq FROM public.audit_head WHERE id = 1) THEN
    RAISE EXCEPTION USING ERRCODE = '42501', MESSAGE = 'Only a prefix of the log is dropped, up to an event of it.';
  END IF;
  IF edge_time > extract(epoch FROM clock_timestamp()) * 1000 - ${YOUNGEST} THEN
    RAISE EXCEPTION USING ERRCODE = '42501', MESSAGE = 'Events of the last day are kept.';
  END IF;
  PERFORM set_config('holdfast.pruned_to', upto::text, true);
  DELETE FROM public.audit_events
  WHERE seq <= (SELECT least(upto, min(seq) + most - 1) FROM public.audit_events);
  GET DIAGNOSTICS dropped = ROW_COUNT;
  PERFORM set_config('holdfast.pruned_to', '', true);
  RETURN dropped;
END `,
}

const heads = {
  [GUARD]: `FUNCTION public.${GUARD}() RETURNS trigger
            LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp`,
  [PRUNE]: `FUNCTION public.${PRUNE}(upto bigint, checkpoint_seq bigint, checkpoint_hash text, most integer)
            RETURNS integer
            LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp`,
}

const triggers = {
  [`${GUARD}_rows`]: `BEFORE UPDATE OR DELETE ON public.audit_events FOR EACH ROW`,
  [`${GUARD}_all`]: `BEFORE TRUNCATE ON public.audit_events FOR EACH STATEMENT`,
}

/** Puts the guard up, unless it stands as this release knows it. Ask as the owner of the tables. */
export async function guardPostgres(ask: Ask): Promise<void> {
  const { rows } = await ask(
    `SELECT proname AS name, prosrc AS body FROM pg_proc WHERE pronamespace = 'public'::regnamespace AND proname = ANY ($1)
     UNION ALL
     SELECT tgname, NULL FROM pg_trigger WHERE tgrelid = 'public.audit_events'::regclass AND tgname = ANY ($2)`,
    [Object.keys(bodies), Object.keys(triggers)],
  )
  const found = new Map(
    (rows as { name: string; body: string | null }[]).map(({ name, body }) => [name, body]),
  )
  for (const [name, body] of Object.entries(bodies)) {
    if (found.get(name) === body) continue
    await ask(`CREATE OR REPLACE ${heads[name as keyof typeof heads]} AS $body$${body}$body$`)
  }
  // Whoever may connect could call it otherwise.
  await ask(`REVOKE ALL ON FUNCTION ${pruneFunction} FROM PUBLIC`)
  for (const [name, when] of Object.entries(triggers)) {
    if (!found.has(name)) await ask(`CREATE TRIGGER ${name} ${when} EXECUTE FUNCTION public.${GUARD}()`)
  }
}

/** Takes the guard away, where there is one: for an upgrade that writes to the log's table, and for a copy into it. */
export async function unguardPostgres(ask: Ask): Promise<void> {
  for (const name of Object.keys(triggers)) await ask(`DROP TRIGGER IF EXISTS ${name} ON public.audit_events`)
  await ask(`DROP FUNCTION IF EXISTS public.${GUARD}(), ${pruneFunction}`)
}

/** The same for a SQLite store: what retention has not marked as dropped can't be deleted, and nothing be changed. */
export function guardSqlite(client: BetterSqlite3.Database): void {
  const refuse = (on: string) => `BEGIN SELECT RAISE(ABORT, '${REFUSED}: ${on} is refused.'); END`
  client.exec(`
    CREATE TRIGGER IF NOT EXISTS ${GUARD}_update BEFORE UPDATE ON audit_events ${refuse('UPDATE')};
    CREATE TRIGGER IF NOT EXISTS ${GUARD}_delete BEFORE DELETE ON audit_events
    WHEN OLD.seq > coalesce((SELECT json_extract(value, '$.seq') FROM meta WHERE key = '${EDGE}'), 0)
    ${refuse('DELETE')};`)
}

/** Takes it away. */
export function unguardSqlite(client: BetterSqlite3.Database): void {
  for (const on of ['update', 'delete']) client.exec(`DROP TRIGGER IF EXISTS ${GUARD}_${on}`)
}
