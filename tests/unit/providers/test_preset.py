from pyproxy.providers.preset import Preset, always


def test_always_chooses_the_same_dialect():
    preset = Preset("openai-like", "https://api.example.com", always("openai"))

    assert preset.dialect(b"/v1/messages") == "openai"
    assert preset.dialect(b"/") == "openai"
