"""HTML links: pages that come through a proxy link to where they came from; this sends their links through the proxy again.

A link is rewritten where it begins with a slash, or names the page's own host; relative links and those to elsewhere stay as they
are. A page is rewritten as it comes: what is kept is at most a tag that has not ended.
apimachinery pkg/util/proxy/transport.go (atomsToAttrs, rewriteHTML)
"""

import re
from dataclasses import dataclass
from urllib.parse import urlsplit, urlunsplit

# Which attributes are addresses.
LINKS = {
    "a": ("href",), "applet": ("codebase",), "area": ("href",), "audio": ("src",), "base": ("href",), "blockquote": ("cite",),
    "body": ("background",), "button": ("formaction",), "command": ("icon",), "del": ("cite",), "embed": ("src",),
    "form": ("action",), "frame": ("longdesc", "src"), "head": ("profile",), "html": ("manifest",), "iframe": ("longdesc", "src"),
    "img": ("longdesc", "src", "usemap"), "input": ("formaction", "src", "usemap"), "ins": ("cite",), "link": ("href",),
    "object": ("classid", "codebase", "data", "usemap"), "q": ("cite",), "script": ("src",), "source": ("src",),
    "video": ("poster", "src"),
}  # fmt: skip
RAW = ("script", "style", "textarea", "title")  # what is in them is no markup
LONGEST_TAG = 64 * 1024

TAG = re.compile(r"""<([a-zA-Z][a-zA-Z0-9]*)((?:[^>"']|"[^"]*"|'[^']*')*)>""")
ATTRIBUTE = re.compile(r"""([a-zA-Z-]+)(\s*=\s*)("[^"]*"|'[^']*'|[^\s"'>]+)""")


@dataclass(frozen=True)
class Place:
    """Where a page came from: its host, and the path of the proxy that its paths are below."""

    host: str
    root: str  # without a slash at its end

    def through(self, link: str) -> str:
        """The link through the proxy. Pure."""
        try:
            parts = urlsplit(link)
        except ValueError:
            return link
        if (parts.netloc and parts.netloc != self.host) or not parts.path.startswith("/"):
            return link
        if parts.path == self.root or parts.path.startswith(f"{self.root}/"):
            return link
        return urlunsplit(("", "", self.root + parts.path, parts.query, parts.fragment))


class Rewriter:
    """`feed` it a page's text, piece by piece, then `end`."""

    def __init__(self, place: Place) -> None:
        self._place = place
        self._rest = ""
        self._closing = ""  # within a raw element: what ends it

    def feed(self, text: str) -> str:
        """What is certain by now."""
        self._rest += text
        done: list[str] = []
        while self._rest:
            piece = self._raw() if self._closing else self._markup()
            if not piece:
                break
            done.append(piece)
        return "".join(done)

    def end(self) -> str:
        rest, self._rest = self._rest, ""
        return rest

    def _take(self, length: int) -> str:
        piece, self._rest = self._rest[:length], self._rest[length:]
        return piece

    def _raw(self) -> str:
        at = self._rest.lower().find(self._closing)
        if at < 0:
            return self._take(len(self._rest) - len(self._closing)) if len(self._rest) > len(self._closing) else ""
        self._closing = ""
        return self._take(at + 2)

    def _markup(self) -> str:
        """Text up to a tag, or a tag; empty where its end has not come."""
        at = self._rest.find("<")
        if at:
            return self._take(at if at > 0 else len(self._rest))
        if self._rest.startswith("<!--"):
            end = self._rest.find("-->")
            return self._take(end + 3) if end > 0 else ""
        tag = TAG.match(self._rest)
        if tag is not None:
            if tag[1].lower() in RAW:
                self._closing = f"</{tag[1].lower()}"
            self._take(tag.end())
            return self._rewritten(tag[0], tag[1].lower())
        whole = len(self._rest) > 3 and not self._rest[1].isalpha()
        return self._take(1) if whole or len(self._rest) > LONGEST_TAG else ""

    def _rewritten(self, tag: str, name: str) -> str:
        wanted = LINKS.get(name)
        if wanted is None:
            return tag

        def attribute(found: re.Match[str]) -> str:
            if found[1].lower() not in wanted:
                return found[0]
            quote = found[3][0] if found[3][0] in "\"'" else ""
            link = found[3][1:-1] if quote else found[3]
            return f"{found[1]}{found[2]}{quote}{self._place.through(link)}{quote}"

        return ATTRIBUTE.sub(attribute, tag)
