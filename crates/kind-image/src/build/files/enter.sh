# Arguments: ROOT (bind|empty SOURCE PATH)... run PROGRAM ARGUMENT...
# Runs in mount and process namespaces of its own, so all mounts vanish with the program.
root=$1
shift
mount --bind "$root" "$root"
mount -t proc proc "$root/proc"
mount --rbind /dev "$root/dev"
if [ -e /etc/resolv.conf ]; then
    [ -e "$root/etc/resolv.conf" ] || : >"$root/etc/resolv.conf"
    mount --bind /etc/resolv.conf "$root/etc/resolv.conf"
fi
while [ "$1" != run ]; do
    mkdir -p "$root$3"
    case $1 in
    bind) mount --bind "$2" "$root$3" ;;
    empty) mount -t "$2" "$2" "$root$3" ;;
    esac
    shift 3
done
shift
exec chroot "$root" "$@"
