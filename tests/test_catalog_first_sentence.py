"""A line of purpose is a whole sentence, whatever is shortened in it."""

from __future__ import annotations

import pytest

from kfp_release.catalog.first_sentence import first_sentence


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("Loads a table. Sums it.", "Loads a table."),
        ("Loads a table, e.g. a CSV, and sums.", "Loads a table, e.g. a CSV, and sums."),
        ("Reads a file (i.e. CSV). More.", "Reads a file (i.e. CSV)."),
        ("Rows vs. Columns, cf. A, etc. Then ends. More.", "Rows vs. Columns, cf. A, etc. Then ends."),
        ("Reads CSV, JSON, etc.", "Reads CSV, JSON, etc."),
        ("Needs approx. 3 GB. More.", "Needs approx. 3 GB."),
        ("Uses scikit-learn 1.2. Fast.", "Uses scikit-learn 1.2."),
        ("See https://x.y/z. Ok", "See https://x.y/z."),
        ("Scales a table. <b>Bold</b>", "Scales a table."),
        ("Why? Because!", "Why?"),
        ("Lädt. Ändert.", "Lädt."),
        ("two\nlines\n\nA second paragraph.", "two lines."),
        ("no mark", "no mark."),
        ("", ""),
        (" \n", ""),
    ],
)
def test_it_ends_where_a_sentence_does(text: str, sentence: str) -> None:
    assert first_sentence(text) == sentence
