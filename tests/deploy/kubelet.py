"""A node without a cluster: lays out a pod's volumes as the kubelet does, runs its container."""

import base64
import itertools
import os
import re
import shutil
import subprocess
import sys
from contextlib import contextmanager

from tests.process.served import PATIENCE_S, environment, serving

_VERSIONS = itertools.count(1)
# As root: no capability, as the manifest has it, so that a file's mode counts for root too; the
# group that `fsGroup` gives; and a root file system that takes nothing.
_GROUP = 65532
_CONFINED = (
    'mount -o remount,bind,ro / && group="$1" && shift && exec setpriv --groups "$group" '
    '--bounding-set=-all --inh-caps=-all --no-new-privs "$@"'
)
# Owns what the kubelet writes: somebody else than whom the gateway runs as.
_OWNER = 1


def is_root():
    return os.geteuid() == 0


def confined(command):
    """The command with no more rights than the manifest gives, as far as this machine can do it."""
    if not is_root() or not all(map(shutil.which, ("unshare", "setpriv", "mount"))):
        return command
    if subprocess.run(["unshare", "--mount", "true"], capture_output=True, check=False).returncode:
        return command
    return ["unshare", "--mount", "sh", "-c", _CONFINED, "sh", str(_GROUP), *command]


class Volume:
    """A folder that the kubelet keeps: every file a link by way of ``..data``.

    A new content comes into force in one step: a folder with all files is made, and ``..data`` led
    there by a rename. The folder before is removed then.
    """

    def __init__(self, folder, mode):
        self._folder, self._mode = folder, mode
        folder.mkdir(parents=True)
        _hand_over(folder, 0o755)

    def write(self, files):
        """Put these files in force, and no others.

        Args:
            files: Bytes by name.
        """
        data = self._folder / "..data"
        before = data.resolve() if data.exists() else None
        fresh = self._folder / f"..2026_11_28_01_15_00.{next(_VERSIONS):09d}"
        fresh.mkdir()
        for name, content in files.items():
            (fresh / name).write_bytes(content)
            _hand_over(fresh / name, self._mode)
        _hand_over(fresh, 0o755)
        (self._folder / "..data_tmp").symlink_to(fresh.name)
        (self._folder / "..data_tmp").replace(data)
        for name in files:
            if not (self._folder / name).is_symlink():
                (self._folder / name).symlink_to(f"..data/{name}")
        if before is not None:
            shutil.rmtree(before)


def _hand_over(path, mode):
    path.chmod(mode)
    if is_root():
        os.chown(path, _OWNER, _GROUP)


class Node:
    """Where a pod's volumes are, under a folder instead of at its root.

    Attributes:
        secrets: By name, what the cluster holds: bytes by item. Change one, and ``sync``.
    """

    def __init__(self, folder, pod, documents, secrets):
        self.secrets = secrets
        self._folder, self._pod, self._documents = folder, pod, documents
        (self._container,) = pod["spec"]["containers"]
        self._mounts = {m["name"]: m["mountPath"] for m in self._container["volumeMounts"]}
        self._volumes = {
            each["name"]: (Volume(self.at(self._mounts[each["name"]]), _mode(each)), each)
            for each in pod["spec"]["volumes"]
        }
        self.sync()

    def at(self, path):
        """Where a path of the container's is."""
        return self._folder / path.lstrip("/")

    def sync(self):
        """Write what the cluster holds now into the volumes."""
        for volume, manifest in self._volumes.values():
            files = dict(self._files(manifest))
            volume.write(files)

    def _files(self, volume):
        for source in volume.get("projected", {}).get("sources", [volume]):
            if "configMap" in source:
                (found,) = [
                    each
                    for each in self._documents
                    if each["kind"] == "ConfigMap"
                    and each["metadata"]["name"] == source["configMap"]["name"]
                ]
                for name, text in found["data"].items():
                    yield name, self.placed(text).encode()
            else:
                secret = source["secret"]
                name = secret.get("secretName") or secret["name"]
                held = self.secrets.get(name, {}) if secret.get("optional") else self.secrets[name]
                items = secret.get("items") or [{"key": key, "path": key} for key in held]
                for item in items:
                    yield item["path"], held[item["key"]]

    def placed(self, text):
        """A file of the container's, with its paths led here and ports that are free."""

        def led(match):
            mounted = match[1].startswith(tuple(f"{path}/" for path in self._mounts.values()))
            return f'"{self.at(match[1])}"' if mounted else match[0]

        text = re.sub(r'"(/[^"]*)"', led, text)
        return re.sub(r'"0\.0\.0\.0:\d+"', '"127.0.0.1:0"', text)

    def environ(self):
        """The container's variables."""
        return {
            each["name"]: self.placed(f'"{each["value"]}"')[1:-1] for each in self._container["env"]
        }

    def command(self, *arguments):
        """What runs in the container, or would by ``kubectl exec``."""
        return confined([sys.executable, "-m", "pyproxy", *(arguments or self._container["args"])])

    def exec(self, *arguments):
        """What ``kubectl exec`` gives of a command of pyproxy's."""
        return subprocess.run(
            self.command(*arguments),
            env=environment(self.environ()),
            cwd="/",
            capture_output=True,
            text=True,
            timeout=PATIENCE_S,
            check=False,
        )

    @contextmanager
    def running(self, trust):
        """The container while the block runs."""
        where = self._folder / "var" / "lib" / "pyproxy"
        where.mkdir(parents=True)
        with serving(where, "", trust, self.environ(), self.command()) as gateway:
            for secret in self.secrets.values():
                gateway.secrets += [
                    text for value in secret.values() if len(text := value.decode().strip()) >= 16
                ]
            yield gateway


def _mode(volume):
    (source,) = volume.keys() & {"secret", "configMap", "projected"}
    return volume[source]["defaultMode"]


def held(documents):
    """What a cluster holds of secrets that were applied: bytes by item, by name."""
    return {
        each["metadata"]["name"]: {
            **{key: text.encode() for key, text in each.get("stringData", {}).items()},
            **{key: base64.b64decode(text) for key, text in each.get("data", {}).items()},
        }
        for each in documents
    }
