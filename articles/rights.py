"""Who may do what: DESIGN's table of rights, as Django groups."""

from typing import Any

from articles.lifecycle import Right

_READ = (
    "articles.view_article", "articles.view_wireitem", "articles.view_story",
    "articles.view_cluster", "articles.view_revision", "articles.view_event",
    "articles.view_storyorigin",
    "sources.view_source", "sources.view_syncrun",
    "publishing.view_channel", "publishing.view_delivery", "publishing.view_attempt",
    "ai.view_generation",
    Right.COMMENT,
)  # fmt: skip
_WRITE = (Right.WRITE, Right.ASK_AI, "articles.add_story", "articles.change_story")
_EDIT = (Right.TRIAGE, Right.EDIT_ALL, Right.SPIKE, Right.RETURN)
_PUBLISH = (Right.APPROVE, Right.QUEUE, Right.CORRECT, Right.KILL)
_ADMINISTER = (
    Right.OVERRIDE,
    *(
        f"{app}.{verb}_{model}"
        for app, models in {
            "sources": ("source",),
            "publishing": ("channel", "subscriber"),
            "ai": ("prompt", "promptversion"),
            "auth": ("user", "group"),
            "django_celery_beat": (
                "periodictask", "intervalschedule", "crontabschedule",
                "clockedschedule", "solarschedule",
            ),
        }.items()
        for model in models
        for verb in ("view", "add", "change", "delete")
    ),
)  # fmt: skip

GROUPS: dict[str, tuple[str, ...]] = {
    "Viewer": _READ,
    "Writer": _READ + _WRITE,
    "Editor": _READ + _WRITE + _EDIT,
    "Publisher": _READ + _WRITE + _EDIT + _PUBLISH,
    "Admin": _READ + _WRITE + _EDIT + _PUBLISH + _ADMINISTER,
}
"""Each group with its rights. Loaded after every migrate; a group's extra rights are left alone."""


def load_groups(app_config: Any = None, **_: Any) -> None:
    """Create the groups and give each the rights of the table; safe to run any number of times.

    As a receiver of post_migrate it acts only after apps that rights are about.
    """
    from django.contrib.auth.models import Group, Permission

    about = {right.partition(".")[0] for rights in GROUPS.values() for right in rights}
    if app_config is not None and app_config.label not in about:
        return
    known = {
        f"{permission.content_type.app_label}.{permission.codename}": permission
        for permission in Permission.objects.select_related("content_type")
    }
    for name, rights in GROUPS.items():
        group, _created = Group.objects.get_or_create(name=name)
        group.permissions.add(*(known[right] for right in rights if right in known))
