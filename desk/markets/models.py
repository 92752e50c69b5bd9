"""What is traded and where: instruments, pairs estimated from an earlier session, venues."""

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models

LAST_VENUE = 8


class Instrument(models.Model):
    """Reference data of the engine's instruments file; the primary key is the engine's id and the ITCH stock locate.

    `tick_size` and `open_price` in the currency, `lot_size` in shares; `hourly_volume` shares traded in an hour of a
    recorded session, null while none was looked at.
    """

    id = models.PositiveIntegerField(primary_key=True)
    name = models.CharField(max_length=8, unique=True)
    tick_size = models.DecimalField(max_digits=12, decimal_places=4)
    lot_size = models.PositiveIntegerField(default=1)
    multiplier = models.PositiveIntegerField(default=1)
    currency = models.CharField(max_length=3, default="USD")
    open_price = models.DecimalField(max_digits=20, decimal_places=4, default=0)
    hourly_volume = models.BigIntegerField(null=True)

    class Meta:
        ordering = ["id"]

    def __str__(self) -> str:
        return self.name


class Pair(models.Model):
    """Two instruments whose spread `first - hedge_ratio * second` reverted to `centre` in the session `source`.

    `spread_deviation` and `centre` in the currency, `half_life` in seconds.
    """

    first = models.ForeignKey(Instrument, on_delete=models.CASCADE, related_name="pairs_as_first")
    second = models.ForeignKey(Instrument, on_delete=models.CASCADE, related_name="pairs_as_second")
    hedge_ratio = models.FloatField()
    centre = models.FloatField()
    spread_deviation = models.FloatField()
    half_life = models.FloatField()
    engle_granger_t = models.FloatField()
    source = models.CharField(max_length=80)

    class Meta:
        ordering = ["engle_granger_t"]
        constraints = [models.UniqueConstraint(fields=["first", "second", "source"], name="pair_once_per_source")]

    def __str__(self) -> str:
        return f"{self.first}/{self.second}"


class Venue(models.Model):
    """Where the engine trades. `protocol` is a venue kind of the engine's catalogue, `settings` are that kind's fields.

    `engine_answer` is what the engine said to `version`; empty until it answered.
    """

    class Answer(models.TextChoices):
        UNSENT = "unsent", "not sent yet"
        APPLIED = "applied", "applied"
        REFUSED = "refused", "refused"
        UNKNOWN = "unknown", "engine unreachable, outcome unknown"

    number = models.PositiveSmallIntegerField(
        primary_key=True, validators=[MinValueValidator(1), MaxValueValidator(LAST_VENUE)]
    )
    name = models.CharField(max_length=16, unique=True)
    protocol = models.CharField(max_length=16)
    settings = models.JSONField(default=dict)
    enabled = models.BooleanField(default=True)
    version = models.PositiveIntegerField(default=1)
    answer = models.CharField(max_length=8, choices=Answer, default=Answer.UNSENT)
    engine_answer = models.CharField(max_length=300, blank=True)
    defined_by = models.ForeignKey("accounts.User", on_delete=models.PROTECT, null=True, related_name="+")
    changed_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["number"]

    def __str__(self) -> str:
        return self.name

    @property
    def has_feed(self) -> bool:
        """Market data comes from there: a broker has none, another venue's book prices its orders."""
        return bool(self.settings.get("feed_line_a")) or self.settings.get("priced_by", "0") in ("", "0")
