"""What the catalog takes over from the row that status has of a version."""

from __future__ import annotations

from kfp_release.catalog.public import of_row
from kfp_release.release_file import ReleaseFile
from kfp_release.status_row import StatusRow
from kfp_release.version import ReleaseVersion


def test_a_file_whose_pins_could_not_be_read_is_told_apart() -> None:
    file = ReleaseFile("components", "components-1.0-py3-none-any.whl", "", is_yanked=True)
    row = StatusRow(ReleaseVersion.parse("1.0"), "c" * 40, "", "components", (), (file,), ())
    (told,) = of_row(row, None, {}).files
    assert (told.filename, told.is_yanked, told.is_readable) == (file.filename, True, False)
