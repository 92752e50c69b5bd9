"""The database itself refuses to change, delete or truncate audit entries."""

from django.db import migrations

REFUSE = """
create function audit_refuse() returns trigger language plpgsql as $$
begin
    raise exception 'audit entries are append-only' using errcode = 'insufficient_privilege';
end
$$;
create trigger audit_no_change before update or delete on audit_auditentry
    for each row execute function audit_refuse();
create trigger audit_no_truncate before truncate on audit_auditentry
    for each statement execute function audit_refuse();
"""

ALLOW = """
drop trigger audit_no_truncate on audit_auditentry;
drop trigger audit_no_change on audit_auditentry;
drop function audit_refuse();
"""


class Migration(migrations.Migration):
    dependencies = [("audit", "0001_initial")]
    operations = [migrations.RunSQL(REFUSE, ALLOW)]
