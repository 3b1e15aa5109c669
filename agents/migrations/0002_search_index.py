"""Full text search over turns: FTS5 kept by triggers on SQLite, two GIN indexes on PostgreSQL.

Both index the words that `agents.memory.terms` has made, next to words for agent, session and user, so that the index
itself bounds a search to its scope.
"""

from django.db import migrations

_COLUMNS = "scopes, user_terms, agent_terms"
_OLD = "old.turn_id, old.scopes, old.user_terms, old.agent_terms"
_NEW = "new.turn_id, new.scopes, new.user_terms, new.agent_terms"
_FORGET = f"INSERT INTO agents_search(agents_search, rowid, {_COLUMNS}) VALUES ('delete', {_OLD});"
_LEARN = f"INSERT INTO agents_search(rowid, {_COLUMNS}) VALUES ({_NEW});"
_SQLITE = (
    f"""CREATE VIRTUAL TABLE agents_search USING fts5(
        {_COLUMNS}, content='agents_searchentry', content_rowid='turn_id', tokenize='ascii', detail=column, columnsize=0
    )""",
    f"CREATE TRIGGER agents_search_insert AFTER INSERT ON agents_searchentry BEGIN {_LEARN} END",
    f"CREATE TRIGGER agents_search_delete AFTER DELETE ON agents_searchentry BEGIN {_FORGET} END",
    f"CREATE TRIGGER agents_search_update AFTER UPDATE ON agents_searchentry BEGIN {_FORGET} {_LEARN} END",
)
_VECTOR = """CREATE FUNCTION agents_search_vector(scopes text, terms text) RETURNS tsvector
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    AS $$ SELECT array_to_tsvector(string_to_array(rtrim(scopes || ' ' || terms), ' ')) $$"""
_INDEX = """CREATE INDEX agents_search_{column} ON agents_searchentry
    USING gin (agents_search_vector(scopes, {column})) WITH (gin_pending_list_limit = 512)"""
# The settings hold within the function: whatever the planner thinks, only the index is fast. `+ 0` keeps it from walking
# the primary key until enough turns match, which has no bound.
_SEARCH = """CREATE FUNCTION agents_search_in_{column}(query tsquery, most integer)
    RETURNS TABLE (found bigint, terms text) LANGUAGE plpgsql STABLE
    SET enable_seqscan = off SET jit = off SET max_parallel_workers_per_gather = 0 SET work_mem = '16MB'
    AS $$ BEGIN RETURN QUERY
        SELECT turn_id, {column} FROM agents_searchentry
        WHERE agents_search_vector(scopes, {column}) @@ query ORDER BY turn_id + 0 DESC LIMIT most;
    END $$"""
# An agent's newest turns, among which the words that are in very many of them are found soonest. `+ 0`: the primary key,
# which all agents share, must not be walked instead.
_NEWEST = "CREATE INDEX agents_search_newest ON agents_searchentry (split_part(scopes, ' ', 1), (turn_id + 0) DESC)"
_POSTGRESQL = (
    _VECTOR,
    _NEWEST,
    *(statement.format(column=column) for column in ("user_terms", "agent_terms") for statement in (_INDEX, _SEARCH)),
)


def create(apps, schema_editor):
    for statement in _SQLITE if schema_editor.connection.vendor == "sqlite" else _POSTGRESQL:
        schema_editor.execute(statement, params=None)


def drop(apps, schema_editor):
    if schema_editor.connection.vendor == "sqlite":
        for trigger in ("insert", "delete", "update"):
            schema_editor.execute(f"DROP TRIGGER agents_search_{trigger}")
        schema_editor.execute("DROP TABLE agents_search")
    else:
        schema_editor.execute("DROP INDEX agents_search_newest")
        for column in ("user_terms", "agent_terms"):
            schema_editor.execute(f"DROP FUNCTION agents_search_in_{column}(tsquery, integer)")
        schema_editor.execute("DROP FUNCTION agents_search_vector(text, text) CASCADE")


class Migration(migrations.Migration):
    dependencies = [("agents", "0001_initial")]

    operations = [migrations.RunPython(create, drop, hints={"model_name": "searchentry"})]
