"""The table of requests, in plain SQL: nothing here knows Odoo, so that tests can hold it against a bare PostgreSQL.

Two transactions with one id: the second waits in its INSERT until the first has ended. If the first was rolled back,
the second goes on. If it was committed, the row is newer than the second's snapshot: PostgreSQL raises a serialization
failure (REPEATABLE READ, which Odoo uses), Odoo's own loop calls the method again, and then the row is seen.
"""
from collections import namedtuple

BEGUN, DONE, CLOSED = "begun", "done", "closed"

Stored = namedtuple("Stored", "state fingerprint user result")


def create_index(cr):
    """What makes it true that a request is carried out once."""
    cr.execute(
        "CREATE UNIQUE INDEX IF NOT EXISTS millgate_request_request_id_unique ON millgate_request (request_id)")


def claim(cr, request_id, fingerprint, user, state=BEGUN):
    """Takes the id for this transaction: `(row, None)`. Where it was taken before: `(None, Stored)`."""
    cr.execute(
        "INSERT INTO millgate_request"
        " (request_id, fingerprint, state, create_uid, create_date, write_uid, write_date)"
        " VALUES (%s, %s, %s, %s, now() AT TIME ZONE 'UTC', %s, now() AT TIME ZONE 'UTC')"
        " ON CONFLICT (request_id) DO NOTHING RETURNING id",
        (request_id, fingerprint, state, user, user))
    row = cr.fetchone()
    if row:
        return row[0], None
    cr.execute(
        "SELECT state, fingerprint, create_uid, result FROM millgate_request WHERE request_id = %s", (request_id,))
    found = cr.fetchone()
    if not found:
        # There a moment ago and gone now. Raised by a statement: Odoo 16 and 17 go by the code of PostgreSQL, which an
        # exception that is made here would not have.
        cr.execute(
            "DO $$ BEGIN RAISE EXCEPTION 'could not serialize access: the request was pruned'"
            " USING ERRCODE = 'serialization_failure'; END $$")
    return None, Stored(*found)


def finish(cr, row, result):
    cr.execute("UPDATE millgate_request SET state = %s, result = %s WHERE id = %s", (DONE, result, row))


def lock(cr, table, ids):
    """Waits for the rows. One that was changed since our snapshot is a serialization failure: Odoo begins anew."""
    cr.execute('SELECT id FROM "%s" WHERE id IN %%s ORDER BY id FOR UPDATE' % table, (tuple(ids),))


def prune(cr, days, most=100000):
    """Forgets what is older. Returns how many."""
    cr.execute(
        "DELETE FROM millgate_request WHERE id IN (SELECT id FROM millgate_request"
        " WHERE create_date < now() AT TIME ZONE 'UTC' - %s * interval '1 day' ORDER BY id LIMIT %s)", (days, most))
    return cr.rowcount
