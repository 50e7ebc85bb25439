#!/bin/sh
# A web server in a page: `web listen` starts this script again for every connection; without an argument it answers the one
# HTTP request on its standard input. $SERVER is the Server header, $PORT the port, /www holds more pages.
if [ "$1" = listen ]; then
    trap 'exit 0' TERM INT # process 1 has no default actions for signals
    nc -ll -p "${PORT:-80}" -e /bin/web &
    wait
    exit
fi

cr=$(printf '\r')
read -r method path version
while read -r line && [ "${line%"$cr"}" ]; do :; done

answer() { # status, type, body
    printf 'HTTP/1.1 %s\r\nServer: %s\r\nDate: %s\r\nContent-Type: %s\r\nContent-Length: %s\r\nConnection: close\r\n\r\n' \
        "$1" "$SERVER" "$(date -u '+%a, %d %b %Y %H:%M:%S GMT')" "$2" "$((${#3} + 1))"
    [ "$method" = HEAD ] || printf '%s\n' "$3"
}

path=${path%%\?*}
case $path in
*..*) answer '400 Bad Request' text/plain 'bad path' ;;
/ | /index.html)
    [ -f /www/index.html ] && answer '200 OK' text/html "$(cat /www/index.html)" ||
        answer '200 OK' text/html "<html><head><title>Welcome</title></head><body><h1>$SERVER on $(hostname)</h1></body></html>"
    ;;
/hostname.html) answer '200 OK' text/html "$(hostname)" ;;
/healthz) answer '200 OK' text/plain ok ;;
*)
    if [ -f "/www$path" ]; then answer '200 OK' text/plain "$(cat "/www$path")"; else answer '404 Not Found' text/plain 'not found'; fi
    ;;
esac
