import json


def test_schema_describes_the_configuration(pyproxy):
    code, out, _ = pyproxy("schema")

    schema = json.loads("\n".join(out))
    assert code == 0
    assert "routes" in schema["properties"]
