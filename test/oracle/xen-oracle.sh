#!/bin/bash
# Boots PVH guests on a real Xen 4.17 and prints what each of them wrote, and how it ended.
#
#   test/oracle/xen-oracle.sh [-m MIB] [-c CMDLINE] [-t SECONDS] GUEST.elf[:VCPUS] ...
#
# Output, in the order of the arguments:
#   BEGIN <name>
#   E9 <line>          a line the guest wrote to port 0xE9 (Xen's log shows it)
#   PV <line>          a line the guest wrote to its PV console
#   XEN <line>         a warning of Xen about this guest
#   END <name> <how>   poweroff, reboot, crash, running (time was up) or refused
#
# Needs no KVM, no network at run time and no disk: QEMU emulates a processor with nested paging, on it runs Xen with a small Linux as dom0
# that has xl and nothing else. The first use fetches Debian packages with apt (about 500 MB unpacked) into a cache folder:
# $VMEXIT_XEN_ORACLE, or vmexit-xen-oracle in $XDG_CACHE_HOME or ~/.cache. Exit code 77: this machine cannot do it (the reason on stderr).
set -euo pipefail

usage() { sed -n 2,15p "$0" >&2; exit 2; }
cannot() { echo "xen-oracle: $*" >&2; exit 77; }

memory=64 cmdline= seconds=240
while getopts m:c:t: option; do
  case $option in
    m) memory=$OPTARG ;;
    c) cmdline=$OPTARG ;;
    t) seconds=$OPTARG ;;
    *) usage ;;
  esac
done
shift $((OPTIND - 1))
[ $# -gt 0 ] || usage
cache=${VMEXIT_XEN_ORACLE:-${XDG_CACHE_HOME:-$HOME/.cache}/vmexit-xen-oracle}

# --- packages: qemu, busybox and cpio are installed; Xen, its tools and a kernel are only unpacked ---
fetch() {
  command -v apt-get >/dev/null && command -v dpkg >/dev/null || cannot "needs a Debian system (apt-get) for the first use"
  [ "$(id -u)" = 0 ] || cannot "the first use installs packages and has to run as root"
  local packages=$cache/packages kernel
  mkdir -p "$packages/partial"
  apt-get update -qq || cannot "apt-get update failed"
  apt-get install -y -qq --no-install-recommends qemu-system-x86 busybox-static cpio >/dev/null || cannot "qemu, busybox and cpio cannot be installed"
  kernel=$(apt-cache depends linux-image-amd64 | awk '/Depends: linux-image-[0-9]/ { print $2; exit }')
  apt-get install -y -qq --no-install-recommends --download-only -o Dir::Cache::archives="$packages" \
    xen-hypervisor-4.17-amd64 xen-utils-4.17 "$kernel" >/dev/null || cannot "the packages of Xen 4.17 cannot be had"
  rm -rf "$cache/root"
  mkdir -p "$cache/root"
  for package in "$packages"/{xen-,libxen,libyajl,linux-image-}*.deb; do dpkg -x "$package" "$cache/root"; done
  touch "$cache/complete"
}
[ -e "$cache/complete" ] || fetch
command -v qemu-system-x86_64 >/dev/null || cannot "qemu-system-x86_64 is gone: remove $cache and run again"

root=$cache/root
tools=$root/usr/lib/xen-4.17/bin
kernel=$(basename "$root"/lib/modules/*)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# --- dom0: an initial ramdisk with busybox, the Xen tools, their libraries, and the guests ---
dom0=$work/dom0
mkdir -p "$dom0"/{bin,sbin,lib,lib64,proc,sys,dev,tmp,modules,guests,etc/xen,run/xen,run/xenstored,var/lib/xen,var/lib/xenstored,var/log/xen,var/lock,usr/lib}
ln -s ../run "$dom0/var/run"
cp "$(command -v busybox)" "$dom0/bin/busybox"
cp -L /lib64/ld-linux-x86-64.so.2 "$dom0/lib64/"
cp -L /lib/x86_64-linux-gnu/libgcc_s.so.1 "$dom0/lib/"
: > "$dom0/etc/xen/xl.conf"
mkdir -p "$dom0/usr/lib/xen-4.17/bin"
ln -s xen-4.17 "$dom0/usr/lib/xen"
folders=$(find "$root" -name '*.so*' -printf '%h\n' | sort -u | tr '\n' ':')
for tool in xl xenstored xenconsoled xen-init-dom0; do
  cp "$tools/$tool" "$dom0/usr/lib/xen-4.17/bin/"
  LD_LIBRARY_PATH=$folders ldd "$tools/$tool" | awk '$2 == "=>" && $3 ~ /^\// { print $3 }' | while read -r library; do
    [ -e "$dom0/lib/$(basename "$library")" ] || cp -L "$library" "$dom0/lib/"
  done
done
for module in xen-privcmd xen-evtchn xen-gntdev xen-gntalloc xenfs; do
  find "$root/lib/modules/$kernel" -name "$module.ko" -exec cp {} "$dom0/modules/" \;
done
for argument in "$@"; do
  file=${argument%:*} vcpus=1
  case $argument in *:[0-9]*) vcpus=${argument##*:} ;; *) file=$argument ;; esac
  name=$(basename "$file" .elf)
  cp "$file" "$dom0/guests/$name"
  cat > "$dom0/guests/$name.cfg" <<CFG
type = 'pvh'
name = '$name'
kernel = '/guests/$name'
memory = $memory
vcpus = $vcpus
cmdline = '$cmdline'
on_poweroff = 'preserve'
on_crash = 'preserve'
on_reboot = 'preserve'
CFG
  echo "$name" >> "$dom0/guests/list"
done
cat > "$dom0/init" <<'INIT'
#!/bin/busybox sh
/bin/busybox --install -s /bin
export PATH=/bin:/sbin:/usr/lib/xen-4.17/bin LD_LIBRARY_PATH=/lib
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev
mkdir -p /dev/pts /dev/shm /tmp/console
mount -t devpts devpts /dev/pts
for m in xen-privcmd xen-evtchn xen-gntdev xen-gntalloc xenfs; do insmod /modules/$m.ko; done
mount -t xenfs xenfs /proc/xen
xenstored --pid-file /run/xenstored.pid
sleep 1
xen-init-dom0
xenconsoled --pid-file=/run/xenconsoled.pid --log=guest --log-dir=/tmp/console
for name in $(cat /guests/list); do
  echo "@BEGIN $name"
  if xl create /guests/$name.cfg > /tmp/out 2>&1; then
    state=running
    tries=0
    while [ $tries -lt 150 ]; do
      case "$(xl list $name 2> /dev/null | awk 'END { print $5 }')" in
        *c*) state=crash; break ;;
        *sr*) state=reboot; break ;;
        *s*) state=poweroff; break ;;
        *d*) state=crash; break ;;
      esac
      sleep 0.2
      tries=$((tries + 1))
    done
    [ -e /tmp/console/guest-$name.log ] && sed 's/^/@PV /' /tmp/console/guest-$name.log
    echo "@END $name $state"
    xl destroy $name > /dev/null 2>&1
  else
    sed 's/^/@XEN /' /tmp/out
    echo "@END $name refused"
  fi
done
echo "@COMPLETE"
poweroff -f
INIT
chmod +x "$dom0/init"
(cd "$dom0" && find . | cpio -o -H newc 2>/dev/null | gzip -1) > "$work/initrd"
gunzip -c "$root"/boot/xen-4.17-amd64.gz > "$work/xen"
cp "$root/boot/vmlinuz-$kernel" "$work/vmlinuz"

# --- Xen's own log goes to the serial line, and dom0's console with it ---
timeout "$seconds" qemu-system-x86_64 -accel tcg -cpu EPYC,+svm,+npt,-smap,-smep,-monitor -machine q35 -smp 2 -m 3072 \
  -nodefaults -no-reboot -display none -monitor none -serial stdio -kernel "$work/xen" \
  -append "console=com1 com1=115200,8n1 loglvl=warning guest_loglvl=all dom0_mem=768M,max:768M dom0_max_vcpus=1 noreboot" \
  -initrd "$work/vmlinuz console=hvc0 quiet loglevel=4 nokaslr,$work/initrd" < /dev/null 2>&1 |
  tr -d '\r' |
  sed -n -E -u 's/^(\(XEN\) )?(\[[^]]*\] )?\(d[0-9]+\) /E9 /p; t; s/^\(XEN\) (\[[^]]*\] )?d[0-9]+v[0-9]+:? /XEN /p; t; s/^@//p' > "$work/log" || true
grep -v '^COMPLETE' "$work/log" || true
grep -q '^COMPLETE' "$work/log" || { echo "xen-oracle: Xen did not get through in $seconds s" >&2; exit 1; }
