"""What an autoscaler aims at, from --cpu and --memory."""

import pytest

from kubectl.app import run
from kubectl.commands.autoscale import metrics_of
from kubectl.errors import CommandError


@pytest.mark.parametrize(
    ("cpu", "memory", "targets"),
    [
        ("", "", []),
        ("70%", "", [{"type": "Utilization", "averageUtilization": 70}]),
        ("500m", "", [{"type": "AverageValue", "averageValue": "500m"}]),
        ("500", "200", [{"type": "AverageValue", "averageValue": "500m"}, {"type": "AverageValue", "averageValue": "200Mi"}]),
        ("", "60%", [{"type": "Utilization", "averageUtilization": 60}]),
    ],
)
def test_targets_are_shares_or_amounts(cpu: str, memory: str, targets: list[dict[str, object]]) -> None:
    """Rule: https://kubernetes.io/docs/reference/kubectl/generated/kubectl_autoscale/"""
    assert [one["resource"]["target"] for one in metrics_of(cpu, memory)] == targets


@pytest.mark.parametrize("cpu", ["abc", "%", "x%", "-"])
def test_what_is_no_amount_is_refused(cpu: str) -> None:
    with pytest.raises(CommandError) as error:
        metrics_of(cpu, "")
    assert str(error.value) == f"invalid resource cpu value: {cpu}"


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("autoscale deployment web", 'error: required flag(s) "max" not set\n'),
        ("autoscale deployment web --max=0", "error: --max=MAXPODS is required and must be at least 1, max: 0\n"),
        (
            "autoscale deployment web --max=3 --min=4",
            "error: --max=MAXPODS must be larger or equal to --min=MINPODS, max: 3, min: 4\n",
        ),
    ],
)
def test_limits_that_cannot_be_are_told(line: str, told: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(line.split()) == 1
    assert capsys.readouterr().err == told
