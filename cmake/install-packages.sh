# Sourced. install_packages KIND...: sees to it that the Debian packages of those kinds (build, run, test, fuzz) in
# cmake/debian-packages.txt are there; installs the missing ones as root or through sudo, otherwise prints the
# command and ends with status 1.
install_packages() {
    local list missing=() package kind rest wanted
    list="$(dirname "${BASH_SOURCE[0]}")/debian-packages.txt"
    if ! command -v dpkg-query >/dev/null; then
        echo "This is not a Debian system; gridgpt needs what these packages hold: $list" >&2
        return 0
    fi
    while read -r package kind rest; do
        case "$package" in "" | \#*) continue ;; esac
        for wanted in "$@"; do
            [ "$kind" = "$wanted" ] || continue
            [ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null || true)" = installed ] || missing+=("$package")
        done
    done <"$list"
    [ ${#missing[@]} -gt 0 ] || return 0
    local become=()
    if [ "$(id -u)" != 0 ]; then
        if command -v sudo >/dev/null && sudo -n true 2>/dev/null; then
            become=(sudo)
        elif command -v sudo >/dev/null && [ -t 0 ]; then
            become=(sudo)
        else
            echo "Debian packages are missing. As root, run:" >&2
            echo "    apt-get update && apt-get install -y ${missing[*]}" >&2
            exit 1
        fi
    fi
    echo "installing: ${missing[*]}"
    "${become[@]}" env DEBIAN_FRONTEND=noninteractive apt-get update -qq
    "${become[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
}

# Open MPI as the scripts want it: as root too, more ranks than cores, ranks not bound to a core.
mpi_environment() {
    export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
    export OMPI_MCA_rmaps_base_oversubscribe=1 OMPI_MCA_hwloc_base_binding_policy=none
    export OMPI_MCA_btl_base_warn_component_unused=0
}
