"""Documents and markup that attack whoever reads them. {canary} becomes the canary's port."""

_LAUGHS = "".join(
    '<!ENTITY l{} "{}">'.format(number, f"&l{number - 1};" * 10 if number else "ha")
    for number in range(12)
)
_ATTRIBUTES = " ".join(f'a{number}="x"' for number in range(16_000))


def _feed(title: str, before: str) -> str:
    return (
        f"{before}<rss><channel><item><guid>1</guid><title>{title}</title></item></channel></rss>"
    )


DOCUMENTS = {
    "44-billion-laughs": _feed("&l11;", f"<!DOCTYPE rss [{_LAUGHS}]>"),
    "45-quadratic-entities": _feed(
        "&a;" * 5000, "<!DOCTYPE rss [<!ENTITY a '{}'>]>".format("a" * 50_000)
    ),
    "46-external-dtd": _feed("x", '<!DOCTYPE rss SYSTEM "http://127.0.0.1:{canary}/x.dtd">'),
    "47-file-entity": _feed("&f;", '<!DOCTYPE rss [<!ENTITY f SYSTEM "file:///etc/passwd">]>'),
    "48-deep": "<rss><channel>" + "<a>" * 100_000,
    "49-attributes": f"<rss {_ATTRIBUTES}><channel/></rss>",
}

MARKUP = {
    "55-tab": '<a href="java\tscript:alert(1)">x</a>',
    "55-entity": '<a href="&#106;avascript&colon;alert(1)">x</a>',
    "55-space": '<a href=" javascript:alert(1)">x</a>',
    "55-data": '<a href="data:text/html,<script>alert(1)</script>">x</a>',
    "56-mutation": '<svg></p><style><a id="</style><img src=1 onerror=alert(1)>">',
    "56-mathml": "<math><mtext><table><mglyph><style><!--</style><img title='--&gt;&lt;img src=1 "
    "onerror=alert(1)&gt;'>",
    "57-style": '<p style="background:url(http://127.0.0.1/x)">x</p><style>*{color:red}</style>',
    "58-base": '<base href="http://evil.example/">'
    '<meta http-equiv=refresh content="0;url=//evil">x',
    "59-pixel": '<p>x</p><img src="http://127.0.0.1:{canary}/p.gif" width="1" height="1">',
    "60-handlers": '<img src=x onerror="alert(1)"><p onclick=alert(1)>x</p><iframe src=//evil>',
}
