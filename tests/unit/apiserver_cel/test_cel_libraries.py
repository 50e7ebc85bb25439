"""Kubernetes' libraries and cel-go's extensions: what each function gives, and what it refuses."""

from typing import Any

import pytest

from apiserver.cel import DYN, EvaluationError, compile
from apiserver.cel.libraries.authorizer import Answer, Authorizer, Question, Undecided
from apiserver.cel.types import opaque
from apiserver.cel.values import NONE

Case = tuple[str, Any]


def value(expression: str) -> Any:
    return compile(expression, {"d": DYN}).evaluate({"d": {"list": [3, 1, 2], "text": "abc"}})


LISTS: list[Case] = [
    ("[1, 2, 2].isSorted() && ![2, 1].isSorted() && ['a', 'b'].isSorted() && [].isSorted()", True),
    ("[1, 2, 3].sum()", 6),
    ("[1.5, 2.5].sum()", 4.0),
    ("[duration('1s'), duration('2s')].sum() == duration('3s')", True),
    ("[3, 1, 2].min() + [3, 1, 2].max()", 4),
    ("d.list.max()", 3),
    ("['a', 'b', 'b'].indexOf('b') + ['a', 'b', 'b'].lastIndexOf('b')", 3),
    ("[1].indexOf(5)", -1),
    ("[1, 2, 3, 4].slice(1, 3)", [2, 3]),
    ("[1, 2, 3].reverse()", [3, 2, 1]),
    ("[1, 2, 2, 1].distinct()", [1, 2]),
    ("[[1], [2, 3]].flatten()", [1, 2, 3]),
    ("[3, 1, 2].sort()", [1, 2, 3]),
    ("lists.range(3)", [0, 1, 2]),
]
STRINGS: list[Case] = [
    ("'tacocat'.charAt(3) + 'abc'.charAt(3)", "o"),
    ("'hello mellow'.indexOf('ello') + 'hello mellow'.indexOf('ello', 2)", 8),
    ("'hello mellow'.lastIndexOf('ello')", 7),
    ("'hello mellow'.lastIndexOf('ello', 6)", 1),
    ("['a', 'b'].join('-') + ['a', 'b'].join()", "a-bab"),
    ("'TacoCÆt'.lowerAscii() + 'é'.upperAscii() + 'x'.upperAscii()", "tacocÆtéX"),
    ("'hello hello'.replace('he', 'we', 1)", "wello hello"),
    ("'hello hello'.replace('he', 'we')", "wello wello"),
    ("'a,b,c'.split(',', 2)", ["a", "b,c"]),
    ("'abc'.split('')", ["a", "b", "c"]),
    ("'a,b'.split(',', 0)", []),
    ("'tacocat'.substring(4) + 'tacocat'.substring(0, 4)", "cattaco"),
    ("'  \\ttrim\\n '.trim()", "trim"),
    ("'abc'.reverse()", "cba"),
    ("strings.quote('a\"b\\n')", '"a\\"b\\n"'),
    ("'abc'.contains('b') && 'abc'.startsWith('a') && 'abc'.endsWith('c') && 'abc'.matches('^a.c$')", True),
    ("size('héé') == 3 && 'héé'.size() == 3", True),
]
FORMATTED: list[Case] = [
    ("'%s has %d'.format(['x', 3])", "x has 3"),
    ("'%.2f %e %%'.format([3.14159, 1052.032911275])", "3.14 1.052033e+03 %"),
    ("'%x %X %o %b'.format([255, 'az', 8, true])", "ff 617A 10 1"),
    ("'%s'.format([dyn([dyn(1), 'a', dyn(null), dyn({'b': 1.5})])])", "[1, a, null, {b: 1.5}]"),
    ("'%s %s'.format([timestamp(0), duration('1s')])", "1970-01-01T00:00:00Z 1s"),
]
REGEX: list[Case] = [
    ("'abc 123'.find('[0-9]+')", "123"),
    ("'abc'.find('[0-9]+')", ""),
    ("'123 abc 456'.findAll('[0-9]*')", ["123", "", "", "", "", "456"]),
    ("'123 abc 456'.findAll('[0-9]+', 1)", ["123"]),
    ("'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa'.matches('(a+)+b')", False),
]
ADDRESSES: list[Case] = [
    ("ip('192.168.0.1').family() == 4 && ip('::1').family() == 6", True),
    ("ip('127.0.0.1').isLoopback() && ip('0.0.0.0').isUnspecified() && ip('169.254.1.1').isLinkLocalUnicast()", True),
    (
        "ip('224.0.0.1').isLinkLocalMulticast() && ip('192.168.0.1').isGlobalUnicast() && !ip('255.255.255.255').isGlobalUnicast()",
        True,
    ),
    ("isIP('::1') && !isIP('127.0.0.256') && !isIP('::ffff:1.2.3.4') && !isIP('fe80::1%eth0')", True),
    ("ip.isCanonical('::1') && !ip.isCanonical('::0001')", True),
    ("string(ip('::0001'))", "::1"),
    ("cidr('10.0.0.0/8').containsIP('10.1.2.3') && !cidr('10.0.0.0/8').containsIP(ip('11.0.0.1'))", True),
    ("cidr('10.0.0.0/8').containsCIDR('10.1.0.0/16') && !cidr('10.1.0.0/16').containsCIDR(cidr('10.0.0.0/8'))", True),
    ("cidr('192.168.0.5/24').masked() == cidr('192.168.0.0/24') && cidr('::1/128').prefixLength() == 128", True),
    ("cidr('192.168.0.5/24').ip() == ip('192.168.0.5') && isCIDR('::/0') && !isCIDR('1.2.3.4')", True),
    ("string(cidr('10.0.0.1/8'))", "10.0.0.1/8"),
]
URLS: list[Case] = [
    ("url('https://user@h.com:80/a b?k=1&k=2&l'.replace(' ', '%20')).getHost()", "h.com:80"),
    ("url('https://[::1]:80/').getHostname() + url('https://h.com/').getPort()", "::1"),
    ("url('https://h.com:8/').getPort() + url('https://h.com/').getScheme()", "8https"),
    ("url('https://h.com/with%20space').getEscapedPath()", "/with%20space"),
    ("url('https://h.com/?k=1&k=2&l').getQuery()", {"k": ["1", "2"], "l": [""]}),
    ("isURL('/path') && isURL('https://a:80/') && !isURL('no url') && !isURL('://h')", True),
]
AMOUNTS: list[Case] = [
    ("quantity('1.5Gi').isGreaterThan(quantity('1G')) && quantity('1k') == quantity('1000')", True),
    ("quantity('50k').add(quantity('20k')).compareTo(quantity('70k')) + quantity('1').sub(2).sign()", -1),
    ("isQuantity('1.3Gi') && !isQuantity('200K')", True),
    ("quantity('50k').asInteger() + int(quantity('1500m').asApproximateFloat() * 2.0)", 50003),
    ("quantity('1500m').isInteger()", False),
]
VERSIONS: list[Case] = [
    ("semver('1.2.3').major() + semver('1.2.3').minor() + semver('1.2.3').patch()", 6),
    ("semver('1.2.3-alpha.1').isLessThan(semver('1.2.3-alpha.beta')) && semver('1.2.3-rc').isLessThan(semver('1.2.3'))", True),
    ("isSemver('1.2.3') && !isSemver('1.2') && !isSemver('v1.2.3') && isSemver('v1.2', true)", True),
    ("semver('1.2.3+a') == semver('1.2.3+b') && semver('2.0.0').compareTo(semver('1.9.9')) == 1", True),
]
FORMATS: list[Case] = [
    ("format.dns1123Label().validate('a-b')", NONE),
    ("format.dns1123Label().validate('a_b').value()[0].startsWith('a lowercase RFC 1123 label')", True),
    ("format.named('uuid').value().validate('x').hasValue()", True),
    ("format.named('nope').hasValue()", False),
    ("!format.labelValue().validate('').hasValue() && !format.date().validate('2020-01-01').hasValue()", True),
]
SETS: list[Case] = [
    ("sets.contains([1, 2], [2]) && !sets.contains([1], [2]) && sets.contains([1], [])", True),
    ("sets.equivalent([1, 1, 2], [2, 1]) && sets.intersects([1, 2], [2, 3]) && !sets.intersects([1], [])", True),
]
MATHS: list[Case] = [
    ("math.greatest(1, 5, 3) + math.least([4, 2])", 7),
    ("math.greatest(1, 2.5)", 2.5),
    ("math.ceil(1.2) + math.floor(-1.2) + math.round(2.5) + math.trunc(-1.9)", 2.0),
    ("math.abs(-3) + math.sign(-5)", 2),
    ("math.bitAnd(6, 3) + math.bitOr(4, 1) + math.bitXor(6, 3) + math.bitShiftLeft(1, 3) + math.bitShiftRight(16, 3)", 22),
    ("math.bitNot(0)", -1),
]
TIMES: list[Case] = [
    ("timestamp('2020-03-01T10:20:30.5Z').getFullYear()", 2020),
    ("timestamp('2020-03-01T10:20:30.5Z').getMonth() * 100 + timestamp('2020-03-01T10:20:30.5Z').getDate()", 201),
    ("timestamp('2020-03-01T10:20:30.5Z').getDayOfMonth() + timestamp('2020-03-01T10:20:30.5Z').getDayOfWeek()", 0),
    ("timestamp('2020-03-01T10:20:30.5Z').getDayOfYear()", 60),
    ("timestamp('2020-03-01T10:20:30.5Z').getHours('+02:00') + timestamp('2020-03-01T10:20:30.5Z').getMinutes()", 32),
    ("timestamp('2020-03-01T10:20:30.5Z').getSeconds() + timestamp('2020-03-01T10:20:30.5Z').getMilliseconds()", 530),
    ("duration('90m').getHours() + duration('90m').getMinutes() + duration('1m').getSeconds()", 151),
    ("duration('-1.5s').getMilliseconds()", -500),
]
ALL = [*LISTS, *STRINGS, *FORMATTED, *REGEX, *ADDRESSES, *URLS, *AMOUNTS, *VERSIONS, *FORMATS, *SETS, *MATHS, *TIMES]


@pytest.mark.parametrize(("expression", "expected"), ALL)
def test_functions(expression: str, expected: Any) -> None:
    """Rule: https://kubernetes.io/docs/reference/using-api/cel/#cel-options-language-features-and-libraries"""
    assert value(expression) == expected


@pytest.mark.parametrize(
    ("expression", "text"),
    [
        ("[].max()", "max called on empty list"),
        ("'a'.charAt(5)", "index out of range: 5"),
        ("'abc'.substring(2, 1)", "invalid substring range. start: 2, end: 1"),
        ("'%d'.format(['a'])", "error during formatting: decimal clause can only be used on integers"),
        ("'%d'.format([])", "index 0 out of range"),
        ("ip('1.2.3')", 'IP Address "1.2.3" parse error during conversion from string'),
        ("cidr('1.2.3.4')", "network address parse error during conversion from string"),
        ("url('no url')", "URL parse error during conversion from string"),
        ("quantity('1K')", "quantities must match the regular expression"),
        ("quantity('1500m').asInteger()", "cannot convert value to integer"),
        ("semver('1.2')", "No Major.Minor.Patch elements found"),
        ("'a'.find(d.text + '(')", "error parsing regexp: missing )"),
        ("timestamp(0).getHours('Nowhere/Land')", "unknown time zone Nowhere/Land"),
        ("[1, 2].slice(1, 5)", "cannot slice(1, 5), list is length 2"),
    ],
)
def test_functions_refuse(expression: str, text: str) -> None:
    """Rule: https://kubernetes.io/docs/reference/using-api/cel/#cel-options-language-features-and-libraries"""
    with pytest.raises(EvaluationError) as caught:
        value(expression)
    assert text in str(caught.value)


def test_authorizer_is_asked_once_for_each_question() -> None:
    """Rule: https://kubernetes.io/docs/reference/using-api/cel/#kubernetes-authorizer-library"""
    text = "authorizer.group('apps').resource('deployments').subresource('scale').namespace('n').name('d').check('get').allowed()"
    program = compile(
        f"{text} || authorizer.path('/x').check('get').reason() == 'why'", {"authorizer": opaque(Authorizer.type_name)}
    )
    answers: dict[Question, Answer] = {}
    resource = Question(verb="get", group="apps", resource="deployments", subresource="scale", namespace="n", name="d")
    path = Question(verb="get", path="/x")
    for question, answer in ((resource, Answer(False)), (path, Answer(False, "why"))):
        with pytest.raises(Undecided) as caught:
            program.evaluate({"authorizer": Authorizer(answers)})
        assert caught.value.question == question
        answers[question] = answer
    assert program.evaluate({"authorizer": Authorizer(answers)}) is True
