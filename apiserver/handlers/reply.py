"""Reply: the object that a write left behind, in the form that the client accepts."""

import orjson

from apiserver.context import Request, Response
from apiserver.handlers import forms
from apiserver.handlers.negotiation import Form, accepted
from apiserver.handlers.read import answer
from apiserver.storage.entry import Entry
from kube.api.meta import Tree
from kube.api.resource import Resource


def reply(request: Request, row: Resource, entry: Entry, status: int) -> Response:
    """`entry`: as the row's clients see it."""
    form, data = accepted(request), entry.data
    if form.form is not Form.OBJECT:
        data = forms.one(row, entry, form, request.info.param("includeObject"), already_viewed=True)
    response = answer(request, data, form)
    response.status = status
    return response


def reply_with(request: Request, row: Resource, tree: Tree, status: int) -> Response:
    """The same of a tree."""
    return reply(request, row, Entry("", orjson.dumps(tree), 0), status)
