"""People: who signs in, in which role, for which team."""

from typing import Any

from django.contrib.auth.models import AbstractUser
from django.db import models


class Role(models.TextChoices):
    """What a person is there for; `desk.accounts.policy` says what that allows."""

    VIEWER = "viewer", "Viewer"
    TRADER = "trader", "Trader"
    RISK = "risk", "Risk manager"
    ADMIN = "admin", "Administrator"


class Team(models.Model):
    """A group of traders that owns strategies; other teams do not see them."""

    name = models.CharField(max_length=40, unique=True)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class User(AbstractUser):
    """A person. A trader without a team can trade nothing."""

    role = models.CharField(max_length=10, choices=Role, default=Role.VIEWER)
    team = models.ForeignKey(Team, on_delete=models.PROTECT, null=True, blank=True, related_name="members")

    def __str__(self) -> str:
        return self.username

    def save(self, *args: Any, **options: Any) -> None:
        """The administration pages are for risk managers and administrators; `desk.accounts.policy` says what there."""
        self.is_staff = self.is_superuser or self.role in (Role.RISK, Role.ADMIN)
        super().save(*args, **options)
