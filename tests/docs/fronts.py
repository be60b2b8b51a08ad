"""What a page's scene types to start programs of others: nginx, HAProxy, Squid, Pebble.

All of them are Debian's; each listens when its lines are through.
"""

import os
import shutil

PATH = f"{os.environ['PATH']}:/usr/sbin:/sbin"
_UNTIL = "until (: </dev/tcp/127.0.0.1/{port}) 2>/dev/null; do sleep 0.05; done"
_NGINX = """
cat >.notes/{name}.conf <<END
user root;
worker_processes 1;
pid $PWD/.notes/{name}.pid;
error_log $PWD/.notes/{name}.log;
events {{}}
http {{
  access_log off;
  client_body_temp_path $PWD/.notes/body; proxy_temp_path $PWD/.notes/proxy;
  fastcgi_temp_path $PWD/.notes/f; uwsgi_temp_path $PWD/.notes/u; scgi_temp_path $PWD/.notes/s;
  {more}
  include $PWD/{name};
}}
END
nginx -q -c $PWD/.notes/{name}.conf -e $PWD/.notes/{name}.log
"""
SQUID = f"""
sed "s,/etc/squid/,$PWD/deploy/squid/," deploy/squid/squid.conf >.notes/squid.conf
printf '%s\n' 'pid_filename none' 'cache_log /dev/null' 'access_log none' >>.notes/squid.conf
squid -N -n docs$RANDOM$RANDOM -f $PWD/.notes/squid.conf >/dev/null 2>&1 &
{_UNTIL.format(port=3128)}
"""
HAPROXY = f"""
haproxy -D -f haproxy.cfg >.notes/haproxy.log 2>&1
{_UNTIL.format(port=8445)}
"""
# An authority that speaks ACME, as Let's Encrypt does; its own certificate is of our making.
PEBBLE = f"""
pyproxy cert --dir pebble >/dev/null
cat >.notes/pebble.json <<END
{{"pebble": {{"listenAddress": "127.0.0.1:14000", "managementListenAddress": "127.0.0.1:15000",
  "certificate": "pebble/copilot.crt", "privateKey": "pebble/copilot.key",
  "httpPort": 80, "tlsPort": 443, "ocspResponderURL": "",
  "externalAccountBindingRequired": false}}}}
END
export PEBBLE_VA_NOSLEEP=1 PEBBLE_WFE_NONCEREJECT=0
pebble -config .notes/pebble.json >.notes/pebble.log 2>&1 &
{_UNTIL.format(port=14000)}
export REQUESTS_CA_BUNDLE=$PWD/pebble/ca.crt LEGO_CA_CERTIFICATES=$PWD/pebble/ca.crt
"""


def nginx(name: str, more: str = "") -> str:
    """Start nginx with a file of the folder, as ``conf.d`` would include it."""
    return _NGINX.format(name=name, more=more)


def missing(*programs: str) -> str:
    """Which of them are not installed, as a sentence; empty if all are."""
    left = [program for program in programs if shutil.which(program, path=PATH) is None]
    return f"{', '.join(left)}: not installed; Debian's packages have these names" if left else ""
