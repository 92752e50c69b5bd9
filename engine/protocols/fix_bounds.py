"""What the loop and the processes beside it must agree on about FIX: versions, bounds, fields of raw data. Imports
nothing, so that a process without compiled code can have it."""

BEGIN_STRINGS = {"4.2": "FIX.4.2", "4.4": "FIX.4.4", "5.0SP2": "FIXT.1.1"}
LONGEST_NAME = 24
LONGEST_FRAME = 8192

# Length fields, and the field of that many bytes that must follow each.
BYTES_AFTER = {90: 91, 93: 89, 95: 96, 212: 213, 348: 349, 350: 351, 352: 353, 354: 355, 356: 357, 358: 359, 360: 361,
               362: 363, 364: 365, 445: 446, 618: 619, 621: 622}  # fmt: skip
