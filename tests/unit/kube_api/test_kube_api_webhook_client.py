"""Where a webhook may be."""

import pytest

from kube.api.webhook_client import port_errors, service_path_errors, url_errors


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("", []),
        ("/", []),
        ("/a/b", []),
        ("/a/", []),
        ("a", ["must start with a '/'", "segment[0] may not be empty"]),
        ("//", ["segment[0] may not be empty"]),
        ("/a//b", ["segment[1] may not be empty"]),
        ("/a/B_", ["segment[1]: a lowercase RFC 1123 subdomain must consist of"]),
    ],
)
def test_a_path_at_a_service_is_empty_or_absolute(path: str, expected: list[str]) -> None:
    """Rule: apiserver pkg/util/webhook/validation.go; an empty path is the root."""
    found = [str(error) for error in service_path_errors(path, "path")]
    wanted = [f'path: Invalid value: "{path}": {start}' for start in expected]
    assert [one[: len(start)] for one, start in zip(found, wanted, strict=True)] == wanted


@pytest.mark.parametrize(
    ("url", "fields"),
    [
        ("https://a.example/x", 0),
        ("http://a.example", 1),
        ("https://", 1),
        ("https://u@a.example/", 1),
        ("https://a.example/?q#f", 2),
    ],
)
def test_a_url_is_https_with_a_host_and_nothing_hidden(url: str, fields: int) -> None:
    """Rule: the same."""
    assert len(list(url_errors(url, "url"))) == fields


def test_a_port_is_one() -> None:
    """Rule: the same."""
    assert [len(list(port_errors(port, "port"))) for port in (0, 1, 443, 65535, 65536)] == [1, 0, 0, 0, 1]
