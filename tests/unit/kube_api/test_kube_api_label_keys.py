"""matchLabelKeys and mismatchLabelKeys of a pod that is made, and of a template of pods."""

from tests.unit.kube_api.admitting import complaints, new, tree

LABELLED = """
apiVersion: v1
kind: Pod
metadata: {{labels: {{app: web, rev: "2", tenant: blue}}}}
spec:
  containers: [{{name: c, image: i}}]
  {spec}
"""
SPREAD = "topologySpreadConstraints: [{maxSkew: 1, topologyKey: zone, whenUnsatisfiable: DoNotSchedule, %s}]"
TEMPLATE = """
apiVersion: apps/v1
kind: Deployment
spec:
  selector: {{matchLabels: {{app: web}}}}
  template:
    metadata: {{labels: {{app: web}}}}
    spec: {{containers: [{{name: c, image: i}}], {spec}}}
"""


def test_a_new_pods_spread_constraints_select_by_its_own_values_of_the_match_label_keys() -> None:
    """Rule: KEP-3243 (MatchLabelKeysInPodTopologySpreadSelectorMerge)."""
    spec = SPREAD % "labelSelector: {matchLabels: {app: web}}, matchLabelKeys: [rev, absent]"
    made = new(LABELLED.format(spec=spec))["spec"]["topologySpreadConstraints"][0]
    expressions = [{"key": "rev", "operator": "In", "values": ["2"]}]
    assert made["labelSelector"] == {"matchLabels": {"app": "web"}, "matchExpressions": expressions}
    assert made["matchLabelKeys"] == ["rev", "absent"]


def test_a_new_pods_affinity_terms_select_by_its_own_values_of_both_kinds_of_keys() -> None:
    """Rule: KEP-3633: behind the expressions that are there, in terms of all four kinds."""
    term = (
        "topologyKey: zone, labelSelector: {matchExpressions: [{key: app, operator: Exists}]}, "
        "matchLabelKeys: [rev], mismatchLabelKeys: [tenant]"
    )
    terms = (
        f"requiredDuringSchedulingIgnoredDuringExecution: [{{{term}}}], "
        f"preferredDuringSchedulingIgnoredDuringExecution: [{{weight: 1, podAffinityTerm: {{{term}}}}}]"
    )
    made = new(LABELLED.format(spec=f"affinity: {{podAffinity: {{{terms}}}, podAntiAffinity: {{{terms}}}}}"))["spec"]["affinity"]
    for side in ("podAffinity", "podAntiAffinity"):
        required = made[side]["requiredDuringSchedulingIgnoredDuringExecution"][0]
        preferred = made[side]["preferredDuringSchedulingIgnoredDuringExecution"][0]["podAffinityTerm"]
        assert required["labelSelector"] == preferred["labelSelector"] == {
            "matchExpressions": [
                {"key": "app", "operator": "Exists"},
                {"key": "rev", "operator": "In", "values": ["2"]},
                {"key": "tenant", "operator": "NotIn", "values": ["blue"]},
            ]
        }  # fmt: skip


def test_a_key_that_the_selector_of_a_new_pod_asks_for_itself_is_refused() -> None:
    """Rule: ValidateMatchLabelKeysAndMismatchLabelKeys, which judges the merged selector and tells of the constraint's own path."""
    for selector in ("matchLabels: {rev: x}", "matchExpressions: [{key: rev, operator: Exists}]"):
        spec = SPREAD % f"labelSelector: {{{selector}}}, matchLabelKeys: [app, rev]"
        assert complaints(LABELLED.format(spec=spec)) == [
            'spec.topologySpreadConstraints[0][1]: Invalid value: "rev": exists in both matchLabelKeys and labelSelector'
        ]
    assert complaints(LABELLED.format(spec=SPREAD % "matchLabelKeys: [rev]")) == [
        "spec.topologySpreadConstraints[0].matchLabelKeys: Forbidden: must not be specified when labelSelector is not set"
    ]


def test_what_was_merged_is_neither_refused_nor_merged_again_when_the_pod_is_written_back() -> None:
    spec = SPREAD % "labelSelector: {matchLabels: {app: web}}, matchLabelKeys: [rev]"
    selector = "labelSelector: {matchLabels: {app: web}, matchExpressions: [{key: rev, operator: In, values: ['2']}]}"
    merged = SPREAD % f"{selector}, matchLabelKeys: [rev]"
    assert complaints(LABELLED.format(spec=merged), LABELLED.format(spec=spec)) == []


def test_a_templates_keys_stay_keys() -> None:
    """Rule: only pods are merged; in a template a key beside a selector that names it is seen once a pod is made of it."""
    spec = SPREAD % "labelSelector: {matchLabels: {app: web}}, matchLabelKeys: [app]"
    made = new(TEMPLATE.format(spec=spec))["spec"]["template"]["spec"]["topologySpreadConstraints"]
    assert made == tree(TEMPLATE.format(spec=spec))["spec"]["template"]["spec"]["topologySpreadConstraints"]
    assert complaints(TEMPLATE.format(spec=spec)) == []
