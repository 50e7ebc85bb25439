"""Audit: who did what, and what came of it, one line of JSON a stage of a request.

    policy.py   which requests are recorded, and how much of them; pure
    record.py   what is noted of one request, and the events made of it
    log.py      the file that they are written to, and its rotation

On with --audit-policy-file and --audit-log-path. Without them there is no filter in the chain, and no cost.
https://kubernetes.io/docs/tasks/debug/debug-cluster/audit/
"""

import sys

from apiserver.audit.log import AuditLog
from apiserver.audit.policy import Policy, load
from apiserver.audit.record import Auditor
from apiserver.config import Config
from kube.component.run import StartupError


def build(config: Config) -> Auditor | None:
    """None where the flags do not ask for it. Raises StartupError for a policy that cannot be used."""
    if config.audit_policy_file is None or not config.audit_log_path:
        return None
    if config.audit_log_format != "json":
        raise StartupError(f"--audit-log-format={config.audit_log_format}: json is the only format")
    policy: Policy = load(config.audit_policy_file)
    if config.audit_log_path == "-":
        return Auditor(policy, sys.stdout.buffer.write)
    megabytes, days, backups = config.audit_log_maxsize, config.audit_log_maxage, config.audit_log_maxbackup
    return Auditor(policy, AuditLog(config.audit_log_path, megabytes, days, backups).write)
