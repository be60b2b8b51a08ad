"""Paths whose answer is another credential, or leads past the gateway, are closed."""

import json

import openai
import pytest

# As the SDKs ask for them.
CLOSED = {
    "openai": [
        "POST /v1/realtime/client_secrets",
        "POST /realtime/client_secrets",
        "POST /v1/realtime/translations/client_secrets",
        "POST /v1/realtime/sessions",
        "POST /v1/realtime/transcription_sessions",
        "POST /v1/realtime/calls",
        "POST /v1/realtime/calls/rtc_1/accept",
        "POST /v1/live/sessions",
        "POST /v1/live/sessions/live_1/fork",
        "POST /v1/chatkit/sessions",
        "POST /v1/webhook_endpoints",
        "POST /v1/webhook_endpoints/we_1/rotate_secret",
        "POST /v1/organization/admin_api_keys",
        "GET /v1/organization/projects/proj_1/api_keys",
        "POST /v1/projects/proj_1/roles",
        "POST /v1/vaults/vault_1/credentials",
    ],
    "azure-openai": [
        "POST /openai/v1/realtime/client_secrets",
        "POST /openai/realtimeapi/sessions?api-version=2025-04-01-preview",
        "POST /openai/v1/realtime/calls",
    ],
    "anthropic": [
        "POST /v1/oauth/token",
        "POST /api/oauth/claude_cli/create_api_key",
        "GET /v1/organizations/api_keys",
        "POST /v1/organizations/webhooks/we_1/regenerate_signing_secret",
        "POST /v1/tunnels/t_1/reveal_token",
        "GET /v1/environments/env_1/work/poll",
        "POST /v1/user_profiles/p_1/enrollment_url",
        "POST /v1/vaults/v_1/credentials",
    ],
    "gemini": [
        "POST /v1alpha/auth_tokens",
        "POST /v1beta/interactions/i_1/auth_tokens",
        "POST /v1beta/credentials",
        "POST /$rpc/google.ai.generativelanguage.v1alpha.AuthTokenService/CreateToken",
        "POST /batch",
        "POST /v1beta/webhooks/w_1:rotateSigningSecret",
    ],
    "elevenlabs": [
        "GET /v1/user",
        "GET /v2/user",
        "POST /v1/single-use-token/realtime_scribe",
        "GET /v1/convai/conversation/get-signed-url?agent_id=a",
        "GET /v1/convai/conversation/token?agent_id=a",
        "POST /v1/convai/realtime/client_secrets",
        "GET /v1/convai/agents/a/link",
        "POST /v1/service-accounts/s/api-keys",
        "POST /v1/workspace/invites/add",
    ],
}
CASES = [(name, *case.split(" ", 1)) for name, cases in CLOSED.items() for case in cases]


@pytest.mark.parametrize(
    ("name", "method", "path"), CASES, ids=[f"{name} {path}" for name, _, path in CASES]
)
def test_path_that_hands_out_credentials_is_closed(through, plays, name, method, path):
    before = len(plays[name].asked)
    fields = {"Authorization": f"Bearer {through.key(name)}"}
    status, _, body = through.ask(name, method, path, fields)

    assert status == 403, body
    assert len(plays[name].asked) == before


def test_openais_sdk_gets_no_secret_for_a_browser(through):
    http = openai.DefaultHttpxClient(verify=through.tls)
    url, key = f"{through.url('openai')}/v1", through.key("openai")
    with (
        openai.OpenAI(base_url=url, api_key=key, http_client=http) as client,
        pytest.raises(openai.PermissionDeniedError) as caught,
    ):
        client.realtime.client_secrets.create(session={"type": "realtime"})

    assert caught.value.code == "path_denied"


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("openai", "/v1/responses/resp_1"),
        ("anthropic", "/v1/files/file_1/content"),
        ("anthropic", "/v1/environments/env_1"),
        ("gemini", "/v1beta/files/f_1"),
        ("elevenlabs", "/v1/user/subscription"),
        ("elevenlabs", "/v1/convai/conversations/c_1"),
    ],
)
def test_neighbours_of_closed_paths_are_open(through, plays, name, path):
    fields = {"Authorization": f"Bearer {through.key(name)}", "anthropic-version": "2023-06-01"}
    status, _, body = through.ask(name, "GET", path, fields)

    assert (status, plays[name].asked[-1].target) == (404, path)
    assert json.loads(body)
