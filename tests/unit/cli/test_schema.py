import json


def test_schema_describes_the_configuration(pyproxy):
    code, out, _ = pyproxy("schema")

    schema = json.loads("\n".join(out))
    assert code == 0
    assert "routes" in schema["properties"]


def test_the_audit_logs_schema_is_another(pyproxy):
    code, out, _ = pyproxy("schema", "--audit")

    schema = json.loads("\n".join(out))
    assert code == 0
    assert schema["title"] == "pyproxy audit line"
