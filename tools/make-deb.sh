#!/bin/bash
# Makes berth_<version>_<architecture>.deb.   tools/make-deb.sh [BERTH [FOLDER]], by default build/berth and build
# Needs dpkg-dev. The same input gives the same package: times are those of SOURCE_DATE_EPOCH, or of the last commit.
set -euo pipefail
cd "$(dirname "$0")/.."
berth=${1:-build/berth}
out=${2:-build}
version=$("$berth" version)
version=${version#berth }
arch=$(dpkg --print-architecture)
export SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct 2>/dev/null || echo 0)}
umask 022

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
root=$work/root

install -D -m 755 "$berth" "$root/usr/bin/berth"
strip --strip-unneeded "$root/usr/bin/berth"
install -D -m 644 packaging/berth.service "$root/lib/systemd/system/berth.service"
install -D -m 644 packaging/completion/berth.bash "$root/usr/share/bash-completion/completions/berth"
install -D -m 644 packaging/completion/_berth "$root/usr/share/zsh/vendor-completions/_berth"
install -D -m 644 packaging/debian/copyright "$root/usr/share/doc/berth/copyright"
install -d "$root/usr/share/man/man1" "$root/etc/berth"
tools/make-man.sh "$berth" "$root/usr/share/man/man1/berth.1"
gzip -9n "$root/usr/share/man/man1/berth.1"
"$berth" config --format ini | sed 's|^#data = .*|data = /var/lib/berth|' >"$root/etc/berth/berth.conf"
{
	printf 'berth (%s) stable; urgency=medium\n\n  * See the project.\n\n' "$version"
	printf ' -- The authors of Berth <berth@localhost>  %s\n' "$(LC_ALL=C date -u -R -d "@$SOURCE_DATE_EPOCH")"
} | gzip -9n >"$root/usr/share/doc/berth/changelog.gz"

# dpkg-shlibdeps reads the names of a source package from debian/control, and nothing else.
mkdir -p "$work/debian" "$root/DEBIAN"
printf 'Source: berth\n\nPackage: berth\nArchitecture: any\n' >"$work/debian/control"
depends=$(cd "$work" && dpkg-shlibdeps -O -eroot/usr/bin/berth 2>/dev/null)
depends="${depends#shlibs:Depends=}, libcurl4 (>= 7.85)" # loaded at run time: src/net/curl_lib.c

# What is linked in, by name and version of its source.
built_using=
[[ $(ldd "$berth") = *libmicrohttpd* ]] ||
	built_using=$(dpkg-query -W -f='\nBuilt-Using: ${source:Package} (= ${source:Version})' libmicrohttpd-dev)

cat >"$root/DEBIAN/control" <<CONTROL
Package: berth
Version: $version
Architecture: $arch
Maintainer: The authors of Berth <berth@localhost>
Installed-Size: $(du -sk --apparent-size --exclude=DEBIAN "$root" | cut -f1)
Depends: $depends, adduser$built_using
Suggests: awscli
Section: net
Priority: optional
Description: private container registry that speaks Amazon ECR
 Berth answers the API of Amazon ECR and the OCI distribution protocol, so that
 the AWS CLI, the AWS SDKs, Terraform and every container client work with it
 unchanged. It stores a layer once, however many repositories use it.
CONTROL
echo /etc/berth/berth.conf >"$root/DEBIAN/conffiles"
install -m 755 packaging/debian/postinst packaging/debian/prerm packaging/debian/postrm "$root/DEBIAN/"
(cd "$root" && find . -type f ! -path './DEBIAN/*' -printf '%P\0' | LC_ALL=C sort -z | xargs -0 md5sum) >"$root/DEBIAN/md5sums"

deb=$out/berth_${version}_$arch.deb
mkdir -p "$out"
dpkg-deb --root-owner-group -Zxz --build "$root" "$deb" >/dev/null
echo "$deb"
