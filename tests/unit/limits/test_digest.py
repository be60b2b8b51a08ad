from pyproxy.limits.digest import digest


def test_name_has_one_digest_for_each_key():
    assert digest("a", b"k") == digest("a", b"k")
    assert digest("a", b"k") != digest("a", b"other")
    assert digest("a", b"k") != digest("b", b"k")


def test_digest_is_a_word_and_never_nothing():
    assert all(0 < digest(str(number), b"k") < 1 << 64 for number in range(1000))


def test_half_of_a_surrogate_pair_is_a_name_too():
    assert digest("\ud800", b"k") != digest("\ud801", b"k")
