"""The record can't be rewritten: not by a bug, not by a hurried hand in the shell."""

from django.db import migrations

FORWARD = """
CREATE FUNCTION refuse_rewriting_the_record() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'editorial_events is append-only: % refused', TG_OP
        USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER events_are_append_only BEFORE UPDATE OR DELETE ON editorial_events
    FOR EACH ROW EXECUTE FUNCTION refuse_rewriting_the_record();
"""
BACKWARD = """
DROP TRIGGER events_are_append_only ON editorial_events;
DROP FUNCTION refuse_rewriting_the_record();
"""


class Migration(migrations.Migration):
    dependencies = [("articles", "0001_initial")]
    operations = [migrations.RunSQL(FORWARD, BACKWARD)]
