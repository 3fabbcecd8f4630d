# A machine of its own with a real systemd, for tests: this machine's files as they are, with whatever is
# written kept in memory, and a network that has a loopback only. To be sourced; needs root,
# systemd-container and overlayfs. Up in a second.
#
#     boot DIRECTORY      starts it; DIRECTORY is new and becomes its place
#     inside COMMAND...   runs a command in it, as root
#     power_off           ends it, and takes away all that it was

container= container_root= container_place=

# Runs as the init of a mount namespace of its own, so that nothing stays mounted.
container_init='
    set -e
    place=$1 group=$2
    mount -t tmpfs -o mode=755 tmpfs "$place"
    mkdir "$place"/{upper,work,root,groups}
    mount -t overlay -o "lowerdir=/,upperdir=$place/upper,workdir=$place/work" overlay "$place/root"
    # Nothing of this machine runs in it but what the test starts, and nobody forbids that.
    rm -rf "$place"/root/etc/{systemd/system,fstab,machine-id} "$place/root/usr/sbin/policy-rc.d"
    mkdir "$place/root/etc/systemd/system"
    touch "$place/root/etc/machine-id"
    echo "127.0.0.1 localhost" >"$place/root/etc/hosts"
    mount -t cgroup2 cgroup2 "$place/groups"
    mkdir "$place/groups/$group"
    echo $BASHPID >"$place/groups/$group/cgroup.procs"
    export SYSTEMD_NSPAWN_UNIFIED_HIERARCHY=1
    exec systemd-nspawn --quiet --register=no --keep-unit --machine="$group" -D "$place/root" \
        --console=pipe --private-network --boot
'

boot() {
    container_place=$1
    mkdir "$container_place"
    container_group=keepwarm-test-$$
    unshare --mount --propagation private \
        bash -c "$container_init" container "$container_place" "$container_group" \
        </dev/null >"$container_place.log" 2>&1 &
    container=$!
    local tries
    for ((tries = 0; tries < 600; tries++)); do
        container_root=$(pgrep -P "$container" -x systemd || true)
        # Up, whether or not everything that this machine brings along could be started ("degraded").
        case $([ -z "$container_root" ] || inside systemctl is-system-running 2>/dev/null) in
        running | degraded) return ;;
        esac
        kill -0 "$container" 2>/dev/null || break
        sleep 0.1
    done
    echo "no systemd has come up:" >&2
    cat "$container_place.log" >&2
    return 1
}

inside() {
    nsenter --target "$container_root" --all --root --wd env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8 \
        HOME=/root DEBIAN_FRONTEND=noninteractive "$@"
}

# Asks it to power off: killed, it would leave its processes behind.
power_off() {
    [ -n "$container" ] || return 0
    kill -TERM "$container" 2>/dev/null || true
    wait "$container" 2>/dev/null || true
    local groups
    for groups in /sys/fs/cgroup /sys/fs/cgroup/unified; do
        [ -d "$groups/$container_group" ] || continue
        find "$groups/$container_group" -depth -type d -exec rmdir {} + || true
    done
    rm -rf "$container_place" "$container_place.log"
}
