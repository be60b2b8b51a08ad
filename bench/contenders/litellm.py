"""LiteLLM's proxy: no TLS, one master key.

It reads and rewrites every body, which the others do not.
"""

import json
from pathlib import Path

from bench.contenders.contender import Contender, Missing, Setting
from bench.credentials import PLAIN_KEY
from bench.stage import free_port

NAME = "litellm"


def start(setting: Setting, program: Path) -> Contender:
    """Serve with a LiteLLM that is installed somewhere.

    Raises:
        Missing: There is no such program.
    """
    if not program.exists():
        raise Missing(f"{program} is not there; install 'litellm[proxy]' and name its program")
    stage, port = setting.stage, free_port()
    file = stage.folder / "litellm.yaml"
    file.write_text(json.dumps(_configuration(setting.origin)))  # JSON is YAML
    command = [str(program), "--config", str(file), "--port", str(port), "--host", "127.0.0.1"]
    # The list of prices comes with the package: nothing is fetched at the start.
    environment = {"LITELLM_LOCAL_MODEL_COST_MAP": "True"}
    stage.start(NAME, command, port, stage.measured_cpu, environment)
    return Contender(
        NAME, NAME, port, (NAME,), {"key": PLAIN_KEY}, is_tls=False, is_transparent=False
    )


def _configuration(origin: int) -> dict[str, object]:
    model = {
        "model_name": "gpt-4o",
        "litellm_params": {
            "model": "openai/gpt-4o",
            "api_base": f"http://127.0.0.1:{origin}/v1",
            "api_key": "unused",
        },
    }
    return {"model_list": [model], "general_settings": {"master_key": PLAIN_KEY}}
