from typing import get_args

import pytest

from pyproxy.config.origin import Origin
from pyproxy.config.route import Provider
from pyproxy.providers.catalogue import CATALOGUE
from pyproxy.routing.pattern import DeniedPaths

EVERY = pytest.mark.parametrize("preset", CATALOGUE.values(), ids=CATALOGUE)


def test_the_configuration_and_the_catalogue_know_the_same_providers():
    assert set(CATALOGUE) == set(get_args(Provider))


@EVERY
def test_a_preset_stands_under_its_own_name(preset):
    assert CATALOGUE[preset.name] is preset


@EVERY
def test_an_origin_is_one_and_a_public_one_is_encrypted(preset):
    if preset.origin:
        assert Origin.parse(preset.origin).is_tls is preset.is_public_api


@EVERY
def test_ordinary_paths_are_open(preset):
    closed = DeniedPaths.of((*preset.denied_paths, *preset.credential_paths))

    for path in (
        b"/v1/chat/completions",
        b"/v1/responses",
        b"/v1/responses/resp_1",
        b"/v1/realtime",
        b"/v1/messages",
        b"/v1/messages/count_tokens",
        b"/v1/models",
        b"/v1/files/file-1/content",
        b"/v1beta/models/gemini-2.5-flash:generateContent",
        b"/v1beta/models/gemini-2.5-flash:batchGenerateContent",
        b"/v1beta/batches/b1",
        b"/v1/text-to-speech/voice/stream",
        b"/v1/user/subscription",
        b"/openai/deployments/mine/chat/completions",
        b"/api/hello",
        b"/",
    ):
        assert not closed.denies(path), path
