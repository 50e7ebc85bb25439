"""The kinds of this group; each module has one or more rows of the table in kube.api.resources."""
