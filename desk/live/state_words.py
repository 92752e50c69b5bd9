"""States as the screens say them: words, and the badge style; static/js/format.js has the same table for live cells."""

STATE_WORDS = {
    "RUNNING": ("Running", "on"),
    "STOPPED": ("Stopped", ""),
    "STOPPING": ("Stopping", "busy"),
    "ACTIVE": ("Active", "on"),
    "STARTING": ("Starting", "busy"),
    "RECONCILING": ("Reconciling", "busy"),
    "REDUCE": ("Reduce only", "warn"),
    "HALTED": ("Halted", "danger"),
    "UP": ("Up", "on"),
    "DOWN": ("Down", "warn"),
    "CONNECTING": ("Connecting", "busy"),
    "PENDING_NEW": ("Pending", "busy"),
    "ACCEPTED": ("Working", "on"),
    "PARTIALLY_FILLED": ("Partly filled", "on"),
    "FILLED": ("Filled", "on"),
    "CANCELED": ("Canceled", ""),
    "EXPIRED": ("Expired", ""),
    "REJECTED": ("Rejected", "warn"),
    "PENDING_REPLACE": ("Replacing", "busy"),
    "PENDING_CANCEL": ("Canceling", "busy"),
    "UNKNOWN": ("UNKNOWN", "warn"),
    "DENIED": ("Denied", "warn"),
}


def words(code: str) -> str:
    """SOME_CODE as "Some code"."""
    text = code.replace("_", " ").lower()
    return text[:1].upper() + text[1:]
