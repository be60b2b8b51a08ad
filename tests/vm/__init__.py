"""A Debian that boots systemd in a container, and the installer in it: `make vm-test`."""
