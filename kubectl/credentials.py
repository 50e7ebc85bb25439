"""Credentials of a kubeconfig user that come from elsewhere: a plugin that is run, or a named provider. Pure.

https://kubernetes.io/docs/reference/access-authn-authz/authentication/#client-go-credential-plugins
"""

from collections.abc import Iterable
from typing import Any

from kube.api.meta import Tree
from kubectl.flags import Misused


def provider_of(had: Tree | None, name: str, args: Iterable[str]) -> Tree | None:
    """`auth-provider` of a user; None: nothing is said of it. Another name begins anew."""
    if not name and had is None:
        return None
    known = had if had is not None and name in ("", had.get("name")) else {}
    wanted, unwanted = divided(args, "auth-provider-arg")
    if not name and not wanted and not unwanted:
        return None
    config = {key: value for key, value in {**(known.get("config") or {}), **wanted}.items() if key not in unwanted}
    return {"config": config, "name": name or known.get("name", "")}


def plugin_of(had: Tree | None, flags: dict[str, Any]) -> Tree | None:
    """`exec` of a user, from the flags --exec-*; None: nothing is said of it."""
    command = flags["exec_command"]
    wanted, unwanted = divided(flags["exec_env"], "exec-env")
    given = [name for name, value in flags.items() if name.startswith("exec_") and value not in ("", [], None)]
    if not given or (had is None and not command):
        return None
    made: Tree = {"args": None, "env": None, "provideClusterInfo": False, **(had or {})}
    texts = {"command": command, "apiVersion": flags["exec_api_version"], "interactiveMode": flags["exec_interactive_mode"]}
    made.update({name: text for name, text in texts.items() if text})
    if flags["exec_arg"] or command:
        made["args"] = flags["exec_arg"] or None
    env = {one["name"]: one["value"] for one in made["env"] or ()}
    kept = {name: value for name, value in {**env, **wanted}.items() if name not in unwanted}
    made["env"] = [{"name": name, "value": value} for name, value in kept.items()] or None
    if flags["exec_provide_cluster_info"] is not None:
        made["provideClusterInfo"] = flags["exec_provide_cluster_info"]
    return made


def divided(words: Iterable[str], flag: str) -> tuple[dict[str, str], set[str]]:
    """NAME=VALUE words, and NAME- words. Raises Misused."""
    wanted: dict[str, str] = {}
    unwanted: set[str] = set()
    for word in words:
        name, equals, value = word.partition("=")
        if equals:
            wanted[name] = value
        elif word.endswith("-"):
            unwanted.add(word[:-1])
        else:
            raise Misused(f"invalid {flag} format: {word}")
    return wanted, unwanted
