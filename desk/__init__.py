"""The web side of the desk: people, permissions, limits and screens."""

from desk.celery import app as celery_app

__all__ = ["celery_app"]
