"""One spelling for one address: WHATWG parsing by ada-url, then our own tables of what to drop.

Pure. Dropping a parameter that names content would make two pieces one, so only a parameter
goes whose own service says that it tells who sent the reader, nothing else. A name that could
mean content elsewhere (`source`, `ref`, `s`, `t`, `partner`) goes at the hosts only that are
known to use it so. A mobile or AMP address is led back only where host and path make it certain:
never by a guess like “m.” or “/amp/”.
"""

from functools import lru_cache
from urllib.parse import unquote_plus

import ada_url

TRACKING = frozenset({
    # Google Ads, Analytics' linker, Merchant: support.google.com/google-ads/answer/9744275
    "gclid", "gclsrc", "dclid", "gbraid", "wbraid", "gad_source", "gad_campaignid", "srsltid",
    "_ga", "_gl",
    # Meta, Microsoft, X, TikTok, LinkedIn, Pinterest, Yandex: the click ids of their ads' help
    "fbclid", "msclkid", "twclid", "ttclid", "li_fat_id", "epik", "yclid", "ysclid", "_openstat",
    "igshid", "rb_clickid", "wickedid",
    # mail services: Mailchimp, HubSpot, Marketo, Vero, Omeda, Drip, MailerLite, Klaviyo
    "mc_cid", "mc_eid", "_hsenc", "_hsmi", "__hssc", "__hstc", "__hsfp", "hsctatracking",
    "mkt_tok", "vero_id", "vero_conv", "oly_anon_id", "oly_enc_id", "__s", "ml_subscriber",
    "ml_subscriber_hash", "_kx",
    # HubSpot's ad templates: knowledge.hubspot.com, “ad tracking in HubSpot”
    "hsa_acc", "hsa_ad", "hsa_cam", "hsa_grp", "hsa_kw", "hsa_la", "hsa_mt", "hsa_net", "hsa_ol",
    "hsa_src", "hsa_tgt", "hsa_ver",
    # Matomo: matomo.org/faq, “customise the campaign name parameter”
    "mtm_campaign", "mtm_cid", "mtm_content", "mtm_group", "mtm_keyword", "mtm_kwd", "mtm_medium",
    "mtm_placement", "mtm_source", "pk_campaign", "pk_cid", "pk_content", "pk_keyword", "pk_kwd",
    "pk_medium", "pk_source",
    # Adobe, Piano (AT Internet), Comscore, Webtrekk: campaign parameters of their manuals
    "s_cid", "s_kwcid", "ef_id", "xtor", "at_campaign", "at_campaign_type", "at_creation",
    "at_custom1", "at_custom2", "at_custom3", "at_custom4", "at_format", "at_link_id",
    "at_link_origin", "at_link_type", "at_medium", "at_platform", "at_ptr_name", "at_variant",
    "at_bbc_team", "ns_campaign", "ns_linkname", "ns_mchannel", "ns_source", "ns_fee", "wt_mc",
    "wt_zmc", "cmpid",
    # Yahoo's consent page
    "guccounter", "guce_referrer", "guce_referrer_sig",
})  # fmt: skip
"""Parameters that only tell who sent the reader, wherever they stand."""

TRACKING_PREFIXES = ("utm_",)
"""Google's manual names nine of them and every publisher invents more; none names content."""

TRACKING_AT: dict[str, frozenset[str]] = {
    "bbc.co.uk": frozenset({"ocid", "xtor", "pinned_post_type"}),
    "bbc.com": frozenset({"ocid", "xtor", "pinned_post_type"}),
    "bloomberg.com": frozenset({"leadsource", "sref", "srnd"}),
    "instagram.com": frozenset({"igsh"}),
    "linkedin.com": frozenset({"trk", "trackingid", "refid", "lipi"}),
    "medium.com": frozenset({"source"}),
    "msn.com": frozenset({"ocid", "cvid"}),
    "nytimes.com": frozenset({"smid", "smtyp", "partner", "emc", "searchresultposition"}),
    "open.spotify.com": frozenset({"si"}),
    "reddit.com": frozenset({"rdt", "share_id"}),
    "theguardian.com": frozenset({"cmp"}),
    "twitter.com": frozenset({"s", "t", "ref_src", "ref_url"}),
    "washingtonpost.com": frozenset({"itid", "wpisrc", "wpmm"}),
    "x.com": frozenset({"s", "t", "ref_src", "ref_url"}),
    "youtube.com": frozenset({"si", "feature", "ab_channel", "pp"}),
}
"""Parameters of a site and everything below it; kept everywhere else, where they may say what.

Each stands in the site's own “share” links or in its feed's links, and the page is the same
without it.
"""

HOSTS = {
    # one site under several names, as its own redirects or pages' canonical links say
    "amp.theguardian.com": "www.theguardian.com",
    "m.youtube.com": "www.youtube.com",
    "youtube.com": "www.youtube.com",
    "m.twitter.com": "x.com",
    "mobile.twitter.com": "x.com",
    "twitter.com": "x.com",
    "www.twitter.com": "x.com",
    "mobile.x.com": "x.com",
    "www.x.com": "x.com",
    "amp.reddit.com": "www.reddit.com",
    "i.reddit.com": "www.reddit.com",
    "m.reddit.com": "www.reddit.com",
    "new.reddit.com": "www.reddit.com",
    "np.reddit.com": "www.reddit.com",
    "old.reddit.com": "www.reddit.com",
    "reddit.com": "www.reddit.com",
    "export.arxiv.org": "arxiv.org",
    "www.arxiv.org": "arxiv.org",
}
"""Hosts that show another host's pages under the same paths."""

_LONGEST = 2000  # as the column


def canonical_url(address: str) -> str:
    """`address` in its one spelling, or "" for what is no http(s) address.

    Host in lower case and ASCII, default port and credentials gone, path normalised, tracking
    parameters dropped; the order of the remaining parameters is kept, because some sites mean it.
    A fragment goes, unless it is a route of the page's own (`#!…`, `#/…`). The scheme stays as it
    is: `dedupe` knows that http and https are one page. Canonical addresses come back unchanged.
    """
    # Remembered, because one delivery asks for the same few addresses several times; not the
    # endless ones of a hostile source.
    return _remembered(address) if len(address) <= _LONGEST else _found(address)


def host_of(address: str) -> str:
    """The host of a canonical address without a leading “www.”, "" without a host."""
    return address.partition("://")[2].partition("/")[0].partition(":")[0].removeprefix("www.")


def _found(address: str) -> str:
    found = _spelled(address)
    for _ in range(3):  # a cache's copy of a viewer's copy of a page
        origin = _origin(found) and _spelled(_origin(found))
        if not origin:
            break
        found = origin
    return found


_remembered = lru_cache(maxsize=1024)(_found)


def _spelled(address: str) -> str:
    # Parsed once; its answer is cut up as text, because each look into a parsed address costs
    # as much as parsing it.
    try:
        href = str(ada_url.URL(address.strip()).href)
    except ValueError:
        return ""
    scheme, _, rest = href.partition("://")
    if scheme not in ("http", "https") or len(href) > 2 * _LONGEST:
        return ""
    page, _, fragment = rest.partition("#")
    page, _, query = page.partition("?")
    host, slash, path = page.partition("/")
    host = host.rpartition("@")[2]
    host = HOSTS.get(host, host)
    query = _without_tracking(query, host) if query else ""
    spelled = f"{scheme}://{host}{slash}{path}"
    if query:
        spelled += f"?{query}"
    if fragment.startswith(("!", "/")):
        spelled += f"#{fragment}"
    return spelled if len(spelled) <= _LONGEST else ""


def _without_tracking(query: str, host: str) -> str:
    here = _tracking_at(host.partition(":")[0])
    return "&".join(
        pair for pair in query.split("&") if pair and not _is_tracking(pair.partition("=")[0], here)
    )


def _tracking_at(host: str) -> frozenset[str]:
    """The site's own tracking parameters; a site includes the hosts below it."""
    while host:
        if host in TRACKING_AT:
            return TRACKING_AT[host]
        host = host.partition(".")[2]
    return frozenset()


def _is_tracking(name: str, here: frozenset[str]) -> bool:
    name = (unquote_plus(name) if "%" in name else name).lower()
    return name in TRACKING or name in here or name.startswith(TRACKING_PREFIXES)


def _origin(found: str) -> str:
    """The address that a viewer's or cache's address stands for; "" for all others."""
    host, _, rest = found.partition("://")[2].partition("/")
    # developers.google.com/amp/cache/overview: /c/ a document, /v/ in the viewer
    if host.endswith(".cdn.ampproject.org") and rest.startswith(("c/", "v/")):
        return _of_amp(rest[2:])
    # the viewer in Google's results: www.google.com/amp/s/example.org/piece
    if host == "www.google.com" and rest.startswith("amp/"):
        return _of_amp(rest[4:])
    # YouTube's share links: the path is the video's id
    if host == "youtu.be" and rest and "/" not in rest.partition("?")[0]:
        video, _, query = rest.partition("?")
        return f"https://www.youtube.com/watch?v={video}{query and '&'}{query}"
    return ""


def _of_amp(rest: str) -> str:
    """The publisher's address, after `s/` if it is an https one."""
    return f"https://{rest[2:]}" if rest.startswith("s/") else f"http://{rest}"
