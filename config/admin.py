"""Third-party pages of the console, in the newsroom's words."""

from config import admin_people, admin_schedules  # noqa: F401 (imported so that they register)
