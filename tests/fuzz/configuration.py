"""What the gateway of these tests is told to be."""

import hashlib

ALICE = "fuzz-alice-0123456789abcdef0123"
BOB = "fuzz-bob-0123456789abcdef012345"
HEADER_TIMEOUT = 10.0
IDLE_TIMEOUT = 75.0
READ_TIMEOUT = 30.0
HEARTBEAT = 8.0
MODEL_PEEK = 20 * 1024
MAX_BODY = 256 * 1024
WALL = 1_800_000_000.0

BIND = "127.0.0.1:0"
CONFIGURATION = f"""
[server]
max_body = "256KiB"
max_header_size = "8KiB"
[[listeners]]
bind = "{BIND}"
[auth]
keys_file = "keys"
[auth.ban]
after = 0
[endpoints]
token = ""
verify = ""
jwks = ""
[cors]
origins = ["https://app.example"]
[rate_limits.api]
rate = "1000000r/s"
burst = 1000000
[rate_limits.auth]
rate = "1000000r/s"
burst = 1000000
[rate_limits.health]
rate = "1000000r/s"
burst = 1000000
[[routes]]
name = "keyed"
path = "/"
auth = ["key"]
upstream = "http://127.0.0.1:9000"
read_timeout = "{READ_TIMEOUT:g}s"
[[routes]]
name = "open"
path = "/open"
auth = []
strip_path = false
response_headers = {{ X-Route = "open" }}
upstream = "http://127.0.0.1:9000"
read_timeout = "{READ_TIMEOUT:g}s"
[[routes]]
name = "beating"
path = "/beating"
auth = ["key"]
strip_path = false
upstream = "http://127.0.0.1:9000"
read_timeout = "{READ_TIMEOUT:g}s"
heartbeat = "{HEARTBEAT:g}s"
[[routes]]
name = "choosy"
path = "/choosy"
auth = ["key"]
strip_path = false
models = ["good-*"]
model_peek = "{MODEL_PEEK // 1024}KiB"
upstream = "http://127.0.0.1:9000"
read_timeout = "{READ_TIMEOUT:g}s"
[[routes]]
name = "guarded"
path = "/guarded"
auth = ["key"]
users = ["alice"]
deny_paths = ["/admin", "/admin/*"]
identity_header = "X-Caller"
upstream = "http://127.0.0.1:9001/base"
read_timeout = "{READ_TIMEOUT:g}s"
"""

# As another configuration has it: who was let in is not, and what was open is closed.
OTHERWISE = (
    CONFIGURATION.replace('users = ["alice"]', 'users = ["bob"]')
    .replace("auth = []", 'auth = ["key"]')
    .replace("/base", "/other")
    .replace("good-*", "fine-*")
)


def keys_of(**keys):
    """A keys file with these keys by name."""
    return "".join(
        f"{name}:sha256:{hashlib.sha256(key.encode()).hexdigest()}\n" for name, key in keys.items()
    )
