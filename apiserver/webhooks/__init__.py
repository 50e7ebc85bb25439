"""Webhooks: how the API server calls HTTPS servers that others run — for admission, for conversion, for aggregated APIs."""
