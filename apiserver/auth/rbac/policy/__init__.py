"""Policy: the roles and bindings that every cluster has, by upstream's names and rules; pure data.

https://kubernetes.io/docs/reference/access-authn-authz/rbac/#default-roles-and-role-bindings
kubernetes plugin/pkg/auth/authorizer/rbac/bootstrappolicy
"""
