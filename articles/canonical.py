"""One spelling for one address: WHATWG parsing by ada-url, then our own table of what to drop.

Pure. A parameter that names content is never dropped: only the listed ones go.
"""

import ada_url

TRACKING = frozenset({
    "_hsenc", "_hsmi", "at_campaign", "at_custom1", "at_custom2", "at_custom3", "at_custom4",
    "at_format", "at_link_id", "at_link_origin", "at_link_type", "at_medium", "at_ptr_name",
    "cmpid", "dclid", "fbclid", "gbraid", "gclid", "guccounter", "guce_referrer",
    "guce_referrer_sig", "igshid", "mc_cid", "mc_eid", "mkt_tok", "msclkid", "ns_campaign",
    "ns_linkname", "ns_mchannel", "ns_source", "ocid", "oly_anon_id", "oly_enc_id", "rb_clickid",
    "s_cid", "smid", "ttclid", "twclid", "vero_id", "wbraid", "wickedid", "yclid",
})  # fmt: skip
"""Parameters that only tell who sent the reader; each is documented by the service that adds it."""
TRACKING_PREFIXES = ("utm_", "pk_", "mtm_", "hsa_")


def canonical_url(address: str) -> str:
    """`address` in its one spelling, or "" for what is no http(s) address.

    Host in lower case and ASCII, default port gone, path normalised, tracking parameters and the
    fragment dropped; the order of the remaining parameters is kept, because some sites mean it.
    """
    try:
        url = ada_url.URL(address.strip())
    except ValueError:
        return ""
    if url.protocol not in ("http:", "https:") or len(url.href) > 2000:
        return ""
    url.hash = ""
    if url.search:
        kept = [
            pair
            for pair in url.search[1:].split("&")
            if pair and not _is_tracking(pair.partition("=")[0])
        ]
        url.search = "&".join(kept)
    return str(url.href)


def _is_tracking(name: str) -> bool:
    name = name.lower()
    return name in TRACKING or name.startswith(TRACKING_PREFIXES)
