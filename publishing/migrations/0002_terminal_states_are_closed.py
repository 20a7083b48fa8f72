"""A delivery that has ended stays ended, whatever a bug or a hurried hand in the shell tries."""

from django.db import migrations

FORWARD = """
CREATE FUNCTION refuse_reopening_a_delivery() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.status IN ('published', 'failed', 'cancelled', 'missed')
        AND NEW.status IS DISTINCT FROM OLD.status
    THEN
        RAISE EXCEPTION 'delivery % is % and can not become %', OLD.id, OLD.status, NEW.status
            USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER terminal_states_are_closed BEFORE UPDATE OF status ON publishing_queue
    FOR EACH ROW EXECUTE FUNCTION refuse_reopening_a_delivery();
"""
BACKWARD = """
DROP TRIGGER terminal_states_are_closed ON publishing_queue;
DROP FUNCTION refuse_reopening_a_delivery();
"""


class Migration(migrations.Migration):
    dependencies = [("publishing", "0001_initial")]
    operations = [migrations.RunSQL(FORWARD, BACKWARD)]
