from bench.series import Series, shown, table


def test_rows_are_as_long_as_the_longest():
    text = table(
        [Series("keys", "us", {1: 45.04, 100: 46.0}), Series("workers", "r/s", {1: 8000.4})]
    )

    assert text.splitlines()[2:] == [
        "| keys | us | 1: 45.0 | 100: 46.0 |",
        "| workers | r/s | 1: 8,000 |  |",
    ]
    assert {line.count("|") for line in text.splitlines()} == {5}


def test_great_figures_have_no_digits_after_the_point():
    assert (shown(999.94), shown(12345.6)) == ("999.9", "12,346")
