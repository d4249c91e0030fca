"""What long-term memory has in Postgres beside the tables of LangGraph's store.

A memory is a row of `store` whose namespace begins with "memory". To it belong

- `memory_words`, a generated column with a GIN index: what full-text search goes by. A column
  rather than an index on an expression, since ranking looks at the words of a row again: there
  they lie ready, and no plan can make the server split a million texts anew. It is null, and costs
  next to nothing, for rows that are no memory, and for memories that are true no more.
- a row of `replan_memory_waiting` while it has no vector. A trigger writes it, whoever writes the
  memory, so that none is forgotten.
- `replan_memory_index`, of one row: which model made the vectors, how long they are, and whether
  every memory had one when it was last made anew.
"""

MEMORY = "memory"  # the first label of every memory's namespace
LIVING = "(expires_at IS NULL OR expires_at > now())"  # a row of `store` that has not expired
TEXT_CHARS = 8_000  # of a text; what is further on is not searched for

_HAN = r"\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\u3040-\u30ff\U00020000-\U0003134f"
# Given by their codes: which characters are letters the database's locale decides, and the plainest
# locale knows only those of English.
_BETWEEN = r"\s\u0001-\u002f\u003a-\u0040\u005b-\u0060\u007b-\u00bf\u2000-\u206f\u3000-\u303f"
_NAME = r"[a-z0-9]+(?:[._/@:+\-]+[a-z0-9]+)+"

# The words of a text: English stems without stop words; Chinese, which has no blanks, in pairs;
# names with points, strokes or slashes in them, such as of files, whole as well.
_STEMS = rf"""
    CREATE FUNCTION replan_memory_stems(said text) RETURNS text[]
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
        WITH text AS (SELECT lower(normalize(said, NFKC)) AS t),
        words AS (
            SELECT left(found[1], 60) AS word FROM text,
                regexp_matches(t, '[^{_BETWEEN}{_HAN}]+', 'g') AS found),
        runs AS (SELECT found[1] AS run FROM text, regexp_matches(t, '[{_HAN}]+', 'g') AS found)
        SELECT coalesce(array_agg(DISTINCT stem), '{{}}') FROM (
            SELECT unnest(coalesce(
                ts_lexize('pg_catalog.english_stem'::regdictionary, word), ARRAY[word])) AS stem
            FROM words
            UNION ALL
            SELECT left(found[1], 60) FROM text, regexp_matches(t, '{_NAME}', 'g') AS found
            UNION ALL
            SELECT substr(run, at, 2)
            FROM runs, generate_series(1, greatest(1, length(run) - 1)) AS at
        ) AS all_stems WHERE stem <> ''
    $$"""

# A lexeme for the namespace too, so that the index gives an owner's rows alone: a word that a
# million others use costs nothing then.
_WORDS = f"""
    CREATE FUNCTION replan_memory_words(prefix text, value jsonb) RETURNS tsvector
    LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path FROM CURRENT AS $$
        SELECT CASE WHEN prefix LIKE '{MEMORY}.%' AND value ->> 'ended' IS NULL
            AND jsonb_typeof(value -> 'text') = 'string'
        THEN array_to_tsvector(
            replan_memory_stems(left(value ->> 'text', {TEXT_CHARS})) || ('@' || md5(prefix)))
        END
    $$"""

_CHANGED = """
    CREATE FUNCTION replan_memory_changed() RETURNS trigger
    LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
    BEGIN
        IF TG_OP = 'UPDATE' THEN
            IF NEW.value -> 'text' IS NOT DISTINCT FROM OLD.value -> 'text'
                AND (NEW.value ->> 'ended' IS NULL) = (OLD.value ->> 'ended' IS NULL) THEN
                RETURN NULL;
            END IF;
            IF to_regclass('store_vectors') IS NOT NULL THEN
                DELETE FROM store_vectors WHERE prefix = NEW.prefix AND key = NEW.key;
            END IF;
            DELETE FROM replan_memory_waiting WHERE prefix = NEW.prefix AND key = NEW.key;
        END IF;
        IF NEW.memory_words IS NOT NULL THEN
            INSERT INTO replan_memory_waiting VALUES (NEW.prefix, NEW.key) ON CONFLICT DO NOTHING;
        END IF;
        RETURN NULL;
    END $$"""

MEMORY_MIGRATIONS = (
    _STEMS,
    _WORDS,
    """
    ALTER TABLE store ADD COLUMN memory_words tsvector
        GENERATED ALWAYS AS (replan_memory_words(prefix, value)) STORED""",
    # Searched far more often than written to: no list of what is yet to be put in order.
    """
    CREATE INDEX replan_memory_words ON store USING gin (memory_words)
        WITH (fastupdate = off)""",
    """
    CREATE TABLE replan_memory_waiting (
        prefix text NOT NULL,
        key text NOT NULL,
        PRIMARY KEY (prefix, key),
        FOREIGN KEY (prefix, key) REFERENCES store (prefix, key) ON DELETE CASCADE
    )""",
    """
    CREATE TABLE replan_memory_index (
        one boolean PRIMARY KEY DEFAULT true CHECK (one),
        made_by text NOT NULL,
        dims integer NOT NULL,
        whole boolean NOT NULL
    )""",
    _CHANGED,
    f"""
    CREATE TRIGGER replan_memory_changed AFTER INSERT OR UPDATE OF value ON store
    FOR EACH ROW WHEN (NEW.prefix LIKE '{MEMORY}.%')
    EXECUTE FUNCTION replan_memory_changed()""",
)
