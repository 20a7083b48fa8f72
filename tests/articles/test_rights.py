import pytest
from django.contrib.auth.models import Group

from articles.lifecycle import Right
from articles.rights import GROUPS, load_groups

pytestmark = pytest.mark.django_db


def test_every_right_of_the_table_exists_as_a_permission():
    for name, rights in GROUPS.items():
        held = {
            f"{app}.{codename}"
            for app, codename in Group.objects.get(name=name).permissions.values_list(
                "content_type__app_label", "codename"
            )
        }
        assert held == {str(right) for right in rights}, name


def test_loading_again_keeps_what_an_administrator_added():
    viewer = Group.objects.get(name="Viewer")
    extra = Group.objects.get(name="Admin").permissions.get(codename="override")
    viewer.permissions.add(extra)
    load_groups()
    assert extra in viewer.permissions.all()


@pytest.mark.parametrize(
    ("right", "holders"),
    [
        (Right.WRITE, "will edda paula ada"),
        (Right.TRIAGE, "edda paula ada"),
        (Right.APPROVE, "paula ada"),
        (Right.OVERRIDE, "ada"),
        ("sources.change_source", "ada"),
        ("publishing.view_delivery", "vera will edda paula ada"),
    ],
)
def test_who_may_do_what(right, holders, vera, will, edda, paula, ada):
    may = {user.username for user in (vera, will, edda, paula, ada) if user.has_perm(right)}
    assert may == set(holders.split())
