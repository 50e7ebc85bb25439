"""Reply: the object that a write left behind, in the form that the client accepts."""

import orjson

from apiserver.context import Request, Response
from apiserver.handlers import forms
from apiserver.handlers.negotiation import Form, accepted
from apiserver.handlers.read import answer
from apiserver.storage.watch_cache import Entry
from kube.api.meta import Tree
from kube.api.resource import Resource


def reply(request: Request, row: Resource, tree: Tree, status: int) -> Response:
    form = accepted(request)
    data = orjson.dumps(tree)
    if form.form is not Form.OBJECT:
        data = forms.one(row, Entry("", data, 0), form.form, request.info.param("includeObject"), already_viewed=True)
    response = answer(request, data, form)
    response.status = status
    return response
