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
    "WORKING": ("Working", "on"),
    "CANCELING": ("Canceling", "busy"),
    "EXPIRING": ("Expiring", "busy"),
    "DONE": ("Done", "on"),
    "TRADING": ("Trading", "on"),
    "PAUSED": ("Paused", "danger"),
    "QUOTATION_ONLY": ("Quotation only", "warn"),
    "OPERATIONAL_HALT": ("Operational halt", "danger"),
    "MARKET_WIDE_HALT": ("Market-wide halt", "danger"),
    "IPO_PENDING": ("IPO pending", "warn"),
    "AUCTION_COLLAR": ("Auction collar", "warn"),
    "SHORT_SALE_RESTRICTED": ("Short sale restricted", "warn"),
    "AFTER_HOURS": ("After hours", "warn"),
    "CLOSED": ("Closed", ""),
    "OPEN": ("Open", "on"),
    "EXTENDED_HOURS": ("Extended hours", "busy"),
}


def words(code: str) -> str:
    """SOME_CODE as "Some code"."""
    text = code.replace("_", " ").lower()
    return text[:1].upper() + text[1:]
