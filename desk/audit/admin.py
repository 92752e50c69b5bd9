"""The audit trail to look at."""

from django.contrib import admin

from desk.admin_base import ReadOnlyAdmin
from desk.audit.models import AuditEntry


@admin.register(AuditEntry)
class AuditEntryAdmin(ReadOnlyAdmin):
    list_display = ["time", "actor_name", "action", "subject", "reason", "chain", "sequence"]
    list_filter = ["action", "chain"]
    search_fields = ["actor_name", "subject"]
