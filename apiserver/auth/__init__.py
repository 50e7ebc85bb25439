"""Who a request comes from, and what that one may do."""
