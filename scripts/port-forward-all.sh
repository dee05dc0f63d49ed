#!/usr/bin/env bash
# The user interfaces on this machine. On a cluster of ours their ports are mapped for as long as it lives; what is not
# mapped, as on an adopted cluster, is forwarded by kubectl until Ctrl-C.
#   --no-wait    leave the forwards running, and end
set -euo pipefail
self=$(readlink -f -- "${BASH_SOURCE[0]}")
cd -- "${self%/*}/.."
. scripts/environment.sh

stay=yes
for word in "$@"; do
    case $word in
        --no-wait) stay= ;;
        -h | --help)
            describe "$self"
            exit
            ;;
        *) end_with 2 "There is no option $word. Next: scripts/port-forward-all.sh --help" ;;
    esac
done
provide_environment
mapped=$(.venv/bin/neuroscale endpoints)
printf '%s\n' "$mapped"

readonly ANSWER_SECONDS=20
kubeconfig=$(.venv/bin/python -c 'from neuroscale.cluster.state import kubeconfig_file; print(kubeconfig_file())')
# Proxies are for downloads, never for the cluster.
kubectl=(env -u http_proxy -u https_proxy -u all_proxy -u HTTP_PROXY -u HTTPS_PROXY -u ALL_PROXY
    .venv/bin/kubectl --kubeconfig "$kubeconfig")
logs=$(mktemp -d)
children=()
failed=

# shellcheck disable=SC2329 # the trap calls it
end_forwards() {
    if ((${#children[@]})); then
        kill "${children[@]}" 2>/dev/null || true
        # Their ports are free when the script has ended.
        wait "${children[@]}" 2>/dev/null || true
    fi
    rm -rf -- "$logs"
}
trap end_forwards EXIT
trap 'exit 130' INT TERM HUP

all_forward() {
    local child
    for child in "${children[@]}"; do
        kill -0 "$child" 2>/dev/null || return 1
    done
}

# not_forwarded TITLE WHY
not_forwarded() {
    printf '%-18s is not forwarded: %s\n' "$1" "$2" >&2
    failed=yes
}

# forward TITLE SCHEME PORT NAMESPACE SERVICE SERVICE_PORT: unless it is mapped already, or there is nothing to lead to.
forward() {
    local title=$1 scheme=$2 port=$3 namespace=$4 service=$5 log="$logs/$5" found
    grep -q "^$title  " <<<"$mapped" && return
    if ! found=$("${kubectl[@]}" --namespace "$namespace" get service "$service" --ignore-not-found --output name 2>"$log"); then
        not_forwarded "$title" "$(<"$log")"
        return
    fi
    if [[ ! $found ]]; then
        printf '%-18s is not there: no Service %s in namespace %s\n' "$title" "$service" "$namespace"
        return
    fi
    "${kubectl[@]}" --namespace "$namespace" port-forward --address 127.0.0.1 "service/$service" "$port:$6" >"$log" 2>&1 &
    local child=$! limit=$((SECONDS + ANSWER_SECONDS))
    children+=("$child")
    until grep -q '^Forwarding from' "$log"; do
        if ! kill -0 "$child" 2>/dev/null; then
            not_forwarded "$title" "$(<"$log")"
            return
        fi
        if ((SECONDS > limit)); then
            not_forwarded "$title" "kubectl has not begun within $ANSWER_SECONDS s"
            return
        fi
        sleep 0.1
    done
    printf '%-18s %s://127.0.0.1:%s  forwarded (process %s)\n' "$title" "$scheme" "$port" "$child"
}

forward "Argo CD" https 8081 argocd argocd-server 443
forward "inference gateway" http 8082 kourier-system kourier 80
forward "portal" http 7007 backstage backstage 7007
forward "OpenCost" http 9003 opencost opencost 9003

[[ ! $failed ]] || end_with 1 "Not everything could be forwarded, so nothing is; the reasons are above. Next: neuroscale status"
((${#children[@]})) || exit 0
if [[ ! $stay ]]; then
    trap 'rm -rf -- "$logs"' EXIT
    echo "kill ${children[*]} ends the forwards"
    exit
fi
echo "Ctrl-C ends the forwards"
# Bash's own wait for the next one misses one that has ended before.
while all_forward; do sleep 0.5; done
end_with 1 "A forward has ended by itself, so all are ended. Next: scripts/port-forward-all.sh"
