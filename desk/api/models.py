"""Keys with which programs use the REST API."""

from django.contrib.postgres.fields import ArrayField
from django.db import models


class ApiScope(models.TextChoices):
    """What a key may be used for; its owner must be allowed to do it too. No key may approve limits."""

    READ = "read", "read"
    STRATEGIES = "strategies", "define, start and stop strategies"
    VENUES = "venues", "define venues"
    TRADE = "trade", "enter orders"
    CANCEL = "cancel", "cancel orders"
    KILL = "kill", "kill"
    LIMITS_PROPOSE = "limits:propose", "propose limits"


class ApiKey(models.Model):
    """A key of one person. Only the SHA-256 of its secret is kept; the secret is shown once."""

    owner = models.ForeignKey("accounts.User", on_delete=models.CASCADE, related_name="api_keys")
    name = models.CharField(max_length=60)
    key_id = models.CharField(max_length=16, unique=True)
    secret_hash = models.CharField(max_length=64)
    scopes = ArrayField(models.CharField(max_length=20, choices=ApiScope))
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True, blank=True)
    used_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = "API key"
        ordering = ["-created_at"]

    def __str__(self) -> str:
        return f"{self.name} ({self.key_id})"
