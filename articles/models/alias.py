"""Other keys by which a source's item is known."""

from django.db import models


class ItemAlias(models.Model):
    """One key of an item besides its external id (`articles.identity.Keys`).

    Without an item the key stands for several pieces of the source, so it names none of them.
    """

    pk = models.CompositePrimaryKey("source_id", "key")
    # No constraint on the source: the item has one already, and this table is written most.
    source = models.ForeignKey(
        "sources.Source", on_delete=models.CASCADE, related_name="+", db_constraint=False,
        db_index=False,
    )  # fmt: skip
    key = models.CharField(max_length=40)
    item = models.ForeignKey("Article", null=True, on_delete=models.CASCADE, related_name="aliases")

    class Meta:
        db_table = "item_aliases"
        verbose_name_plural = "item aliases"

    def __str__(self) -> str:
        return self.key
