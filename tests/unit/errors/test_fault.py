from pyproxy.errors.fault import ConfigurationError, Fault


def test_a_fault_says_where_and_what():
    assert str(Fault("routes[2].upstream", "is missing")) == "routes[2].upstream: is missing"


def test_a_fault_of_the_whole_has_no_place():
    assert str(Fault("", "is empty")) == "is empty"


def test_an_error_tells_every_fault_at_once():
    faults = (Fault("a", "is wrong"), Fault("b", "is too"))
    error = ConfigurationError(*faults)

    assert error.faults == faults
    assert str(error) == "a: is wrong\nb: is too"
