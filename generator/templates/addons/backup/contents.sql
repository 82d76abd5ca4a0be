-- Describes the contents of a database, line by line: rows and a checksum per table, columns, constraints, indexes and the rest of the schema. Two databases with
-- the same description have the same contents. Owners and privileges are left out, and so are sequences' values, which belong to no snapshot.
\set ON_ERROR_STOP on
SET search_path = pg_catalog;
-- A row as text depends on these.
SET TimeZone = 'UTC';
SET DateStyle = 'ISO, YMD';
SET IntervalStyle = 'postgres';
SET extra_float_digits = 1;
SET bytea_output = 'hex';
SET lc_monetary = 'C';
-- An error, rather than a part of the rows.
SET row_security = off;

-- The sum of the rows' hashes does not depend on their order, and needs no sorting.
SELECT format('SELECT %L, count(*), coalesce(sum((''x'' || left(md5(ROW(t.*)::text), 16))::bit(64)::bigint::numeric), 0) FROM ONLY %s AS t',
    'table ' || c.oid::regclass, c.oid::regclass)
  FROM pg_class c
  WHERE c.relkind = 'r' AND c.relpersistence <> 't' AND c.relnamespace NOT IN (SELECT oid FROM pg_namespace WHERE nspname IN ('pg_catalog', 'information_schema'))
    AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')
  ORDER BY c.oid::regclass::text COLLATE "C" \gexec

WITH relation AS (
  SELECT c.oid, c.oid::regclass::text AS name, c.relkind
    FROM pg_class c
    WHERE c.relkind IN ('r', 'p', 'v', 'm', 'S') AND c.relpersistence <> 't'
      AND c.relnamespace NOT IN (SELECT oid FROM pg_namespace WHERE nspname IN ('pg_catalog', 'information_schema'))
      AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')
)
SELECT line FROM (
  SELECT concat_ws(' ', 'relation', relkind, name) FROM relation
  UNION ALL
  SELECT concat_ws(' ', 'column', r.name, quote_ident(a.attname), format_type(a.atttypid, a.atttypmod), CASE WHEN a.attnotnull THEN 'NOT NULL' END,
      'DEFAULT ' || pg_get_expr(d.adbin, d.adrelid))
    FROM relation r JOIN pg_attribute a ON a.attrelid = r.oid LEFT JOIN pg_attrdef d ON d.adrelid = r.oid AND d.adnum = a.attnum
    WHERE r.relkind IN ('r', 'p') AND a.attnum > 0 AND NOT a.attisdropped
  UNION ALL
  -- The columns tell NOT NULL, which is a constraint since PostgreSQL 18 only.
  SELECT concat_ws(' ', 'constraint', r.name, quote_ident(k.conname), pg_get_constraintdef(k.oid))
    FROM relation r JOIN pg_constraint k ON k.conrelid = r.oid WHERE k.contype <> 'n'
  UNION ALL
  SELECT concat_ws(' ', 'index', pg_get_indexdef(i.indexrelid)) FROM relation r JOIN pg_index i ON i.indrelid = r.oid
  UNION ALL
  SELECT concat_ws(' ', 'trigger', pg_get_triggerdef(t.oid)) FROM relation r JOIN pg_trigger t ON t.tgrelid = r.oid WHERE NOT t.tgisinternal
  UNION ALL
  SELECT concat_ws(' ', 'function', p.oid::regprocedure, md5(p.prosrc))
    FROM pg_proc p
    WHERE p.pronamespace NOT IN (SELECT oid FROM pg_namespace WHERE nspname IN ('pg_catalog', 'information_schema'))
      AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e')
  UNION ALL
  SELECT 'extension ' || extname FROM pg_extension
  UNION ALL
  SELECT 'large objects ' || count(*) FROM pg_largeobject_metadata
) AS lines (line)
ORDER BY line COLLATE "C";

-- A description without this line is incomplete.
SELECT 'end';
