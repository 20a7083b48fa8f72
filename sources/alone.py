"""One at a time for each source, however many workers are told to."""

import uuid

from sources import claim


class alone:
    """Holds a source while something else than a sync asks or files; the value says whether.

    It is the claim that syncs take (`sources.claim`), so neither gets in the other's way. A crash
    leaves a lease that runs out.
    """

    def __init__(self, source_id: int) -> None:
        self._source_id = source_id
        self._token: uuid.UUID | None = None

    def __enter__(self) -> bool:
        source = claim.claim_one(self._source_id, stage="")
        self._token = source.claim_token if source else None
        return source is not None

    def __exit__(self, *_: object) -> None:
        if self._token is not None:
            claim.let_go(self._source_id, self._token)
