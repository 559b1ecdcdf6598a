#!/bin/sh
# Answers any one request as a docker would that is older than all that the kubelet can use. A kubelet before
# 1.24 asks docker for its directory, five times in five seconds if nothing answers, before it does anything.
while read -r line && [ "${#line}" -gt 1 ]; do :; done
printf 'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n\r\n%s\n' \
    '{"DockerRootDir":"/var/lib/docker","ServerVersion":"0.0.0","Version":"0.0.0","ApiVersion":"1.24"}'
