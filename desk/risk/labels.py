"""What people call each limit, and in what it is measured."""

UNITS = {
    "order_quantity": "shares per order",
    "order_value": "USD per order",
    "collar_basis_points": "basis points",
    "position": "shares per instrument",
    "orders_per_second": "per second",
    "daily_loss": "USD per day",
}
LABELS = {
    "order_quantity": "Order quantity",
    "order_value": "Order value",
    "collar_basis_points": "Price collar",
    "position": "Position",
    "orders_per_second": "Order rate",
    "daily_loss": "Daily loss",
}
